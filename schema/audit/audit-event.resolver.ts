import { Arg, Args, Ctx, Int, Query, Resolver } from 'type-graphql';
import type { AuditService } from '../../src/audit/audit-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { AuditEventFilter } from './audit-event.input.js';
import { toAuditEvent } from './audit-event.mapper.js';
import { AuditChainPart, AuditEventConnection } from './audit-event.type.js';

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

  @Query(() => AuditChainPart, {
    nullable: true,
    complexity: 2_000,
    description:
      'Examines up to 5,000 events of the audit chain, as "riskgraph audit verify" does. Ask again with `after` until ' +
      'it is complete. Null, with an error, for other roles than ADMIN.',
  })
  auditChain(
    @Arg('after', () => Int, {
      nullable: true,
      description: '`through` of the part before. Absent: the chain is examined from its first stored event.',
    })
    after: number | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<AuditChainPart> {
    return this.service.verify(viewer, after ?? 0);
  }
}
