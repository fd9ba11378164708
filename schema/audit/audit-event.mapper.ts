import type { AuditEvent, Role } from '../../models/index.js';
import type { AuditEventType, AuditOutcome } from './audit-event.type.js';

/** Maps an audit event to the object that the API shows. */
export function toAuditEvent(event: AuditEvent): AuditEventType {
  return {
    id: event._id.toHexString(),
    sequence: event.sequence,
    occurredAt: event.occurredAt,
    username: event.username,
    role: (event.role as Role | undefined) ?? null,
    address: event.address,
    requestId: event.requestId,
    action: event.action,
    outcome: event.outcome as AuditOutcome,
    patientIds: event.patients.map((id) => id.toHexString()),
    subject: event.subject ? { kind: event.subject.kind, id: event.subject.id } : null,
    flagged: event.flagged,
    count: event.count ?? 1,
    hash: event.hash,
  };
}
