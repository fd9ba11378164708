import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { authorize } from '../../src/auth/authorize.js';
import type { UserSessions } from '../../src/identity/sessions/user-sessions.js';
import type { ScopeOf } from '../../src/scope/organization-scope.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { SessionConnection, toSession } from '../session/user-session.type.js';
import { toViewer } from './viewer.mapper.js';
import { OrganizationType, ViewerType } from './viewer.type.js';

@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(
    private readonly scopeOf: ScopeOf,
    private readonly userSessions: UserSessions,
  ) {}

  @Query(() => ViewerType, { description: 'The caller of this request.' })
  viewer(@Ctx() { viewer }: OperationContext): ViewerType {
    authorize(viewer, 'viewer:read');
    return toViewer(viewer);
  }

  @FieldResolver(() => OrganizationType, { description: 'The organization that the caller belongs to.' })
  async organization(@Root() viewer: ViewerType): Promise<OrganizationType> {
    const organization = await this.scopeOf(viewer).organization();
    return { id: organization._id.toHexString(), slug: organization.slug, name: organization.name };
  }

  @FieldResolver(() => SessionConnection, {
    description:
      'The live sessions of the caller, newest first. None for an API key, and for a user of the identity provider.',
  })
  async sessions(
    @Root() viewer: ViewerType,
    @Args(() => PageArguments) page: PageArguments,
  ): Promise<SessionConnection> {
    return toConnection(await this.userSessions.own(viewer, page), (session) => toSession(session, viewer));
  }
}
