import { Ctx, Query, Resolver } from 'type-graphql';
import type { createSystemStatus } from '../../src/monitoring/system-status.js';
import type { OperationContext } from '../common/context.js';
import { SystemStatus } from './system-status.type.js';

@Resolver()
export class SystemStatusResolver {
  constructor(private readonly status: ReturnType<typeof createSystemStatus>) {}

  @Query(() => SystemStatus, {
    nullable: true,
    complexity: 500,
    description: 'The workers and queues of the deployment. Null, with an error, for other roles than ADMIN.',
  })
  systemStatus(@Ctx() { viewer }: OperationContext): Promise<SystemStatus> {
    return this.status(viewer);
  }
}
