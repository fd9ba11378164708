import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { authorize } from '../../src/auth/authorize.js';
import type { ScopeOf } from '../../src/scope/organization-scope.js';
import type { OperationContext } from '../common/context.js';
import { toViewer } from './viewer.mapper.js';
import { OrganizationType, ViewerType } from './viewer.type.js';

@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(private readonly scopeOf: ScopeOf) {}

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
}
