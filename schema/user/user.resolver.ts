import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { UserService } from '../../src/identity/users/user-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { CreateUserInput, SetUserPasswordInput, UpdateUserInput } from './user.input.js';
import { toUser } from './user.mapper.js';
import { UserConnection, UserType } from './user.type.js';

@Resolver(() => UserType)
export class UserResolver {
  constructor(private readonly service: UserService) {}

  @Query(() => UserConnection, {
    nullable: true,
    description: 'The users of the organization, newest first. Null, with an error, for other roles than ADMIN.',
  })
  async users(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<UserConnection> {
    return toConnection(await this.service.list(viewer, page), toUser);
  }

  @Mutation(() => UserType, { description: 'Creates a user with a password. CONFLICT when the username is taken.' })
  async createUser(
    @Arg('input', () => CreateUserInput, { description: 'The user to create.' }) input: CreateUserInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<UserType> {
    return toUser(await this.service.create(viewer, input));
  }

  @Mutation(() => UserType, {
    description:
      "Changes a user, and ends the user's sessions and tokens. CONFLICT when no enabled ADMIN with a password " +
      'would be left.',
  })
  async updateUser(
    @Arg('input', () => UpdateUserInput, { description: 'The changes.' }) input: UpdateUserInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<UserType> {
    return toUser(await this.service.update(viewer, input));
  }

  @Mutation(() => UserType, { description: "Sets a new password, and ends the user's sessions and tokens." })
  async setUserPassword(
    @Arg('input', () => SetUserPasswordInput, { description: 'The user and the new password.' })
    input: SetUserPasswordInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<UserType> {
    return toUser(await this.service.setPassword(viewer, input));
  }

  @Mutation(() => UserType, {
    description: 'Ends all sessions and tokens of a user, and closes their sockets. The user may log in again.',
  })
  async revokeSessions(
    @Arg('userId', () => ID, { description: 'Id of the user.' }) userId: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<UserType> {
    return toUser(await this.service.revokeSessions(viewer, userId));
  }
}
