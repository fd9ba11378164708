import { Types, type QueryFilter } from 'mongoose';
import type { AuditEvent, Models } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { idOrNone } from '../input.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { readPage, type Page, type PageRequest } from '../scope/pagination.js';
import type { IndexKeys } from '../scope/scoped-collection.js';
import type { AuditOutcome, AuditTrail } from './audit-trail.js';
import type { AuditKeyOf } from './audit-writer.js';
import { verifyChainPart, type ChainPart } from './verify-chain-part.js';

/** The conditions of a list of audit events. All of them must hold. */
export interface AuditEventFilter {
  readonly patientId?: string | null;
  readonly username?: string | null;
  readonly actions?: readonly string[] | null;
  readonly outcomes?: readonly AuditOutcome[] | null;
  readonly flagged?: boolean | null;
  readonly requestId?: string | null;
  readonly occurredAfter?: Date | null;
  readonly occurredBefore?: Date | null;
}

/** Reads the audit trail of the viewer's organization. Each read is recorded in the same audit trail. */
export interface AuditService {
  /** Lists events, newest first. */
  list(viewer: Viewer | null, request: PageRequest, filter: AuditEventFilter): Promise<Page<AuditEvent>>;
  /**
   * Examines some thousand events of the chain.
   * @param after the sequence number of the event behind which to begin: the end of the part before; 0 at first
   * @throws BadUserInputError when there is no such event
   */
  verify(viewer: Viewer | null, after: number): Promise<ChainPart>;
}

interface AuditServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly models: Pick<Models, 'auditEvents' | 'auditHeads'>;
  readonly keyOf: AuditKeyOf;
}

export function createAuditService({ scopeOf, audit, models, keyOf }: AuditServiceDependencies): AuditService {
  return {
    async verify(viewer, after) {
      authorize(viewer, 'audit:read');
      await audit.record(viewer, { action: 'audit:read', outcome: 'ALLOWED' });
      return verifyChainPart(models, { organization: new Types.ObjectId(viewer.organizationId), keyOf, after });
    },
    async list(viewer, request, filter) {
      authorize(viewer, 'audit:read');
      const query = { filter: auditQuery(filter), order: newestFirst, index: auditIndex(filter) };
      const page = await readPage<AuditEvent>(scopeOf(viewer).auditEvents, query, request);
      await audit.record(viewer, { action: 'audit:read', outcome: 'ALLOWED' });
      return page;
    },
  };
}

const newestFirst = { field: 'sequence', direction: -1 } as const;

/** The index that gives the events of a filter in their order. The condition with the fewest events comes first. */
function auditIndex(filter: AuditEventFilter): IndexKeys {
  const newest = { sequence: -1 } as const;
  if (filter.requestId != null) return { organization: 1, requestId: 1, ...newest };
  if (filter.patientId != null) return { organization: 1, patients: 1, ...newest };
  if (filter.flagged === true) return { organization: 1, flagged: 1, ...newest };
  if (filter.outcomes != null && !filter.outcomes.includes('ALLOWED'))
    return { organization: 1, outcome: 1, ...newest };
  if (filter.username != null) return { organization: 1, username: 1, ...newest };
  if (filter.actions != null) return { organization: 1, action: 1, ...newest };
  // The index also holds the time, so that events outside of a time range are not read.
  return { organization: 1, ...newest, occurredAt: 1 };
}

function auditQuery(filter: AuditEventFilter): QueryFilter<AuditEvent> {
  const query: QueryFilter<AuditEvent> = {};
  if (filter.patientId != null) query.patients = idOrNone(filter.patientId);
  if (filter.username != null) query.username = filter.username;
  if (filter.actions != null) query.action = { $in: [...new Set(filter.actions)] };
  if (filter.outcomes != null) query.outcome = { $in: [...new Set(filter.outcomes)] };
  if (filter.flagged != null) query.flagged = filter.flagged;
  if (filter.requestId != null) query.requestId = filter.requestId;
  const occurred = {
    ...(filter.occurredAfter != null && { $gt: filter.occurredAfter }),
    ...(filter.occurredBefore != null && { $lt: filter.occurredBefore }),
  };
  if (Object.keys(occurred).length > 0) query.occurredAt = occurred;
  return query;
}
