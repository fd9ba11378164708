import { Field, InputType } from 'type-graphql';

@InputType({ description: 'The credentials of a user.' })
export class LoginInput {
  @Field(() => String, { description: 'Slug of the organization.' })
  organization!: string;

  @Field(() => String, { description: 'The username, in upper or lower case.' })
  username!: string;

  @Field(() => String, { description: 'The password of the user.' })
  password!: string;
}

@InputType({ description: 'A refresh token to be replaced.' })
export class RefreshInput {
  @Field(() => String, { description: 'The refresh token that the last login or refresh gave.' })
  refreshToken!: string;
}

@InputType({ description: 'A session to be ended.' })
export class LogoutInput {
  @Field(() => String, { description: 'The latest refresh token of the session.' })
  refreshToken!: string;
}

@InputType({ description: "The caller's present password and the next one." })
export class ChangePasswordInput {
  @Field(() => String, { description: 'The present password.' })
  currentPassword!: string;

  @Field(() => String, { description: '12 to 128 characters, without the username.' })
  newPassword!: string;
}
