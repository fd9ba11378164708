import { GraphQLError } from 'graphql';
import type { AuditAction, AuditTrail } from '../audit/audit-trail.js';
import type { Viewer } from '../auth/viewer.js';
import { ForbiddenError } from '../errors.js';

/**
 * Records what a caller was refused, each action once an operation, however many rows it was refused for. Callers whom
 * no credential names are not recorded: nobody could say who they were, and they could fill the trail at will.
 * Never throws: the caller is refused either way, and that the event is missing is in the log.
 */
export async function recordDenials(audit: AuditTrail, viewer: Viewer | null, errors: readonly unknown[]): Promise<void> {
  if (!viewer) return;
  const actions = new Set(errors.flatMap((error) => actionOf(error) ?? []));
  await Promise.all([...actions].map((action) => audit.record(viewer, { action, outcome: 'DENIED' }).catch(() => undefined)));
}

/** The action that an error says was refused. */
function actionOf(error: unknown): AuditAction | undefined {
  if (error instanceof GraphQLError && error.originalError) return actionOf(error.originalError);
  // Only `authorize` names actions, and it names those of the permission table.
  return error instanceof ForbiddenError ? (error.action as AuditAction | undefined) : undefined;
}
