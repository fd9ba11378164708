import { randomUUID } from 'node:crypto';
import type { AuditActor } from '../audit/audit-trail.js';
import { commandLineUsername } from '../auth/users/username.js';

/** Who the audit trail says did it when it was a command: nobody has logged in, but they have the database and its keys. */
export const commandActor = (organizationId: string): AuditActor => ({
  organizationId,
  username: commandLineUsername,
  origin: { requestId: randomUUID(), address: 'local' },
});
