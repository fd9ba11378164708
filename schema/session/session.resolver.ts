import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { SessionService } from '../../src/identity/sessions/session-service.js';
import type { UserSessions } from '../../src/identity/sessions/user-sessions.js';
import type { UserService } from '../../src/identity/users/user-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { ChangePasswordInput, LoginInput, LogoutInput, RefreshInput } from './session.input.js';
import { LogoutPayload, SessionPayload, toSessionPayload } from './session.type.js';
import { SessionConnection, SessionFilter, SessionType, toSession } from './user-session.type.js';

@Resolver()
export class SessionResolver {
  constructor(
    private readonly service: SessionService,
    private readonly userSessions: UserSessions,
    private readonly users: UserService,
  ) {}

  @Query(() => SessionConnection, {
    nullable: true,
    description:
      'The live sessions of the organization, newest first. Null, with an error, for other roles than ADMIN.',
  })
  async sessions(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => SessionFilter, { nullable: true, description: 'All live sessions when absent.' })
    filter: SessionFilter | null | undefined,
    @Ctx() { viewer }: OperationContext,
  ): Promise<SessionConnection> {
    const sessions = await this.userSessions.list(viewer, page, filter ?? {});
    return toConnection(sessions, (session) => toSession(session, viewer!));
  }

  @Mutation(() => SessionType, {
    description:
      "Ends one session everywhere, and closes its sockets. A caller's own, or any of the organization for an ADMIN.",
  })
  async revokeSession(
    @Arg('id', () => ID, { description: 'Id of the session.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<SessionType> {
    return toSession(await this.userSessions.end(viewer, id), viewer!);
  }

  @Mutation(() => SessionPayload, {
    description:
      'Needs no token. Wrong credentials give INVALID_CREDENTIALS. Too many attempts give RATE_LIMITED with ' +
      'retryAfterSeconds.',
  })
  async login(
    @Arg('input', () => LoginInput, { description: 'The credentials.' }) input: LoginInput,
    @Ctx() { origin }: OperationContext,
  ): Promise<SessionPayload> {
    return toSessionPayload(await this.service.login(input, origin));
  }

  @Mutation(() => SessionPayload, { description: 'Needs only the refresh token, and replaces it.' })
  async refresh(
    @Arg('input', () => RefreshInput, { description: 'The refresh token.' }) input: RefreshInput,
    @Ctx() { origin }: OperationContext,
  ): Promise<SessionPayload> {
    return toSessionPayload(await this.service.refresh(input, origin));
  }

  @Mutation(() => LogoutPayload, {
    description: 'Needs only the refresh token. Ends the session everywhere, and closes its sockets.',
  })
  async logout(
    @Arg('input', () => LogoutInput, { description: 'The session.' }) input: LogoutInput,
    @Ctx() { origin }: OperationContext,
  ): Promise<LogoutPayload> {
    return { ended: await this.service.logout(input, origin) };
  }

  @Mutation(() => SessionPayload, {
    description: "Changes the caller's own password. Ends all sessions of the caller, and begins a new one.",
  })
  async changePassword(
    @Arg('input', () => ChangePasswordInput, { description: 'The two passwords.' }) input: ChangePasswordInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<SessionPayload> {
    return toSessionPayload(await this.users.changePassword(viewer, input));
  }
}
