import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import { Role } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

@ObjectType('User', {
  simpleResolvers: true,
  description: 'A person or machine that calls the API, in the organization of the caller.',
})
export class UserType {
  @Field(() => ID, { description: 'Id of the user.' })
  id!: string;

  @Field(() => String, { description: 'The username, in lower case. It never changes.' })
  username!: string;

  @Field(() => Role, {
    description:
      'For a user of the identity provider: the role at the first login. Each later token names its own role.',
  })
  role!: Role;

  @Field(() => Boolean, {
    description: 'No credential of a disabled user is valid, also none of the identity provider.',
  })
  disabled!: boolean;

  @Field(() => Boolean, { description: 'True when this user can log in with a password.' })
  hasPassword!: boolean;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Time of the latest change of the password. Null when there is none.',
  })
  passwordChangedAt!: Date | null;

  @Field(() => GraphQLDateTime, { description: 'Time when the user was created.' })
  createdAt!: Date;
}

export const UserConnection = connectionType(UserType, 'User');
export type UserConnection = InstanceType<typeof UserConnection>;
