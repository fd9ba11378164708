import { Field, ID, InputType } from 'type-graphql';
import { Role } from '../../models/index.js';

@InputType()
export class CreateUserInput {
  @Field(() => String, { description: '2 to 64 letters, digits and . _ @ + -; stored in lower case.' })
  username!: string;

  @Field(() => Role)
  role!: Role;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  password!: string;
}

@InputType({ description: 'Absent fields do not change.' })
export class UpdateUserInput {
  @Field(() => ID)
  id!: string;

  @Field(() => Role, { nullable: true })
  role?: Role | null;

  @Field(() => Boolean, { nullable: true })
  disabled?: boolean | null;
}

@InputType()
export class SetUserPasswordInput {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  newPassword!: string;
}
