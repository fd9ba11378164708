import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import { Role } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

@ObjectType('User', {
  simpleResolvers: true,
  description: 'Somebody who calls the API, in the organization of the caller.',
})
export class UserType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  username!: string;

  @Field(() => Role, {
    description: 'Of a user of the identity provider: as it was at first; each token names its own.',
  })
  role!: Role;

  @Field(() => Boolean, { description: "No credential of a disabled user is valid, the identity provider's included." })
  disabled!: boolean;

  @Field(() => Boolean, { description: 'Whether this user can log in here.' })
  hasPassword!: boolean;

  @Field(() => GraphQLDateTime, { nullable: true })
  passwordChangedAt!: Date | null;

  @Field(() => GraphQLDateTime)
  createdAt!: Date;
}

export const UserConnection = connectionType(UserType, 'User');
export type UserConnection = InstanceType<typeof UserConnection>;
