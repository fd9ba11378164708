import { mayViewer } from '../../src/auth/authorize.js';
import { actions } from '../../src/auth/permissions.js';
import type { Identity } from '../../src/auth/viewer.js';
import type { ViewerType } from './viewer.type.js';

/** What the API shows of who is calling, or has just logged in. */
export function toViewer(identity: Identity): ViewerType {
  return {
    organizationId: identity.organizationId,
    username: identity.username,
    role: identity.role,
    permissions: actions.filter((action) => mayViewer(identity, action)),
    expiresAt: new Date(identity.expiresAt),
  };
}
