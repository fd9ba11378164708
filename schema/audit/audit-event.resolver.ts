import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import type { AuditService } from '../../src/audit/audit-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { AuditEventFilter } from './audit-event.input.js';
import { toAuditEvent } from './audit-event.mapper.js';
import { AuditEventConnection } from './audit-event.type.js';

@Resolver()
export class AuditEventResolver {
  constructor(private readonly service: AuditService) {}

  @Query(() => AuditEventConnection, {
    nullable: true,
    description: 'The audit trail of the organization, newest first. Null, with an error, for other roles than ADMIN.',
  })
  async auditEvents(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => AuditEventFilter, { nullable: true, description: 'Absent: every event.' })
    filter: AuditEventFilter | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<InstanceType<typeof AuditEventConnection>> {
    return toConnection(await this.service.list(viewer, page, filter ?? {}), toAuditEvent);
  }
}
