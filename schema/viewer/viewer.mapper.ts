import { mayViewer } from '../../src/auth/authorize.js';
import { actions } from '../../src/auth/permissions.js';
import type { Identity } from '../../src/auth/viewer.js';
import type { ViewerType } from './viewer.type.js';

/** Maps an identity to the object that the API shows of the caller, or of a user who has just logged in. */
export function toViewer(identity: Identity): ViewerType {
  return {
    organizationId: identity.organizationId,
    username: identity.username,
    role: identity.role,
    permissions: actions.filter((action) => mayViewer(identity, action)),
    expiresAt: new Date(identity.expiresAt),
    sessionId: identity.sessionId,
  };
}
