import { Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import { actions, authorize, mayRole } from '../../src/auth/permissions.js';
import type { ScopeOf } from '../../src/organization-scope.js';
import type { OperationContext } from '../common/context.js';
import { OrganizationType, ViewerType } from './viewer.type.js';

@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(private readonly scopeOf: ScopeOf) {}

  @Query(() => ViewerType)
  viewer(@Ctx() { viewer }: OperationContext): ViewerType {
    authorize(viewer, 'viewer:read');
    return {
      username: viewer.username,
      role: viewer.role,
      permissions: actions.filter((action) => mayRole(viewer.role, action)),
      expiresAt: new Date(viewer.expiresAt),
    };
  }

  @FieldResolver(() => OrganizationType)
  async organization(@Ctx() { viewer }: OperationContext): Promise<OrganizationType> {
    const organization = await this.scopeOf(viewer!).organization();
    return { id: organization._id.toHexString(), slug: organization.slug, name: organization.name };
  }
}
