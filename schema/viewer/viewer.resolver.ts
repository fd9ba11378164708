import { Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import type { Models, Organization } from '../../models/index.js';
import { actions, authorize, mayRole } from '../../src/auth/permissions.js';
import type { OperationContext } from '../common/context.js';
import { OrganizationType, ViewerType } from './viewer.type.js';

@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(private readonly models: Models) {}

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
    const organization = await this.models.organizations.findById(viewer!.organizationId).lean<Organization>().orFail();
    return { id: organization._id.toHexString(), slug: organization.slug, name: organization.name };
  }
}
