import { Field, ID, InputType } from 'type-graphql';
import { Role } from '../../models/index.js';

@InputType({ description: 'A new user.' })
export class CreateUserInput {
  @Field(() => String, { description: '2 to 64 letters, digits and . _ @ + -; stored in lower case.' })
  username!: string;

  @Field(() => Role, { description: 'The role of the user.' })
  role!: Role;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  password!: string;
}

@InputType({ description: 'Absent fields do not change.' })
export class UpdateUserInput {
  @Field(() => ID, { description: 'Id of the user.' })
  id!: string;

  @Field(() => Role, { nullable: true, description: 'Another role.' })
  role?: Role | null;

  @Field(() => Boolean, { nullable: true, description: 'True: no credential of the user is valid any more.' })
  disabled?: boolean | null;
}

@InputType({ description: 'A user and its new password.' })
export class SetUserPasswordInput {
  @Field(() => ID, { description: 'Id of the user.' })
  id!: string;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  newPassword!: string;
}
