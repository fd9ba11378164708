import { GraphQLError } from 'graphql';
import type { AuditAction, AuditTrail } from '../audit/audit-trail.js';
import type { Viewer } from '../auth/viewer.js';
import { ForbiddenError } from '../errors.js';

/**
 * Records the actions that a caller was refused, and for which patients: one event per action and operation, for any
 * number of rows. Anonymous callers are not recorded: the event could not name them, and they could fill the trail.
 * Never throws: the caller is refused either way, and the log says that the event is missing.
 */
export async function recordDenials(
  audit: AuditTrail,
  viewer: Viewer | null,
  errors: readonly unknown[],
): Promise<void> {
  if (!viewer) return;
  const patientsByAction = new Map<AuditAction, Set<string>>();
  for (const { action, patientId } of errors.flatMap((error) => refusalOf(error) ?? [])) {
    if (action === undefined) continue;
    const patientIds = patientsByAction.get(action as AuditAction) ?? new Set();
    patientsByAction.set(action as AuditAction, patientId === undefined ? patientIds : patientIds.add(patientId));
  }
  const recording = [...patientsByAction].map(([action, patientIds]) =>
    audit.record(viewer, { action, outcome: 'DENIED', patientIds: [...patientIds] }).catch(() => undefined),
  );
  await Promise.all(recording);
}

/** Finds the refusal in an error. Its action is always one of the permission table. */
function refusalOf(error: unknown): ForbiddenError | undefined {
  if (error instanceof GraphQLError && error.originalError) return refusalOf(error.originalError);
  return error instanceof ForbiddenError ? error : undefined;
}
