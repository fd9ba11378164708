import { Field, InputType } from 'type-graphql';

@InputType()
export class LoginInput {
  @Field(() => String, { description: 'Slug of the organization.' })
  organization!: string;

  @Field(() => String)
  username!: string;

  @Field(() => String)
  password!: string;
}

@InputType()
export class RefreshInput {
  @Field(() => String)
  refreshToken!: string;
}

@InputType()
export class LogoutInput {
  @Field(() => String)
  refreshToken!: string;
}

@InputType()
export class ChangePasswordInput {
  @Field(() => String)
  currentPassword!: string;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  newPassword!: string;
}
