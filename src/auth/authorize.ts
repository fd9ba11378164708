import { ForbiddenError, UnauthenticatedError } from '../errors.js';
import type { Viewer } from './viewer.js';
import { mayRole, rolesThatMay, type Action } from './permissions.js';

/** Tells whether the viewer may do an action: the role must allow it, and so must the scopes of an API key. */
export function mayViewer({ role, scopes }: Pick<Viewer, 'role' | 'scopes'>, action: Action): boolean {
  return mayRole(role, action) && (scopes === undefined || scopes.includes(action));
}

/**
 * Refuses a caller who may not do an action. Services call this before anything else.
 * @throws UnauthenticatedError without a viewer, ForbiddenError for a role or an API key that is not allowed
 */
export function authorize(viewer: Viewer | null, action: Action): asserts viewer is Viewer {
  if (!viewer) throw new UnauthenticatedError();
  if (!mayRole(viewer.role, action)) {
    throw new ForbiddenError(
      `The role ${viewer.role} may not do ${action}: ask for a token of the role ${rolesThatMay(action).join(' or ')}.`,
      action,
    );
  }
  if (!mayViewer(viewer, action))
    throw new ForbiddenError(`This API key may not do ${action}: use one with that scope.`, action);
}
