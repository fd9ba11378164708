import { randomUUID } from 'node:crypto';
import type { Models } from '../../models/index.js';
import { auditKeys, createAuditTrail, type AuditWriter } from '../audit/audit-writer.js';
import type { Config } from '../config/config.js';
import { createLogger } from '../process/logger.js';
import { startProtection, type StartedProtection } from '../protection/start-protection.js';
import { localMasterKeys } from './secret-key.js';
import type { AuditActor } from '../audit/audit-trail.js';
import { commandLineUsername } from '../identity/users/username.js';

/** What a command needs to record what it does, and to read and write what is encrypted. */
export interface CommandTrail {
  readonly audit: AuditWriter;
  readonly protection: StartedProtection;
}

/**
 * Does the work of a command that is recorded, and ends the audit trail after it.
 * @param command its name in the log, which is on standard error
 * @throws StartupError without the master keys of the database: what cannot be recorded is not done
 */
export async function withCommandTrail<T>(
  config: Config,
  models: Models,
  command: string,
  work: (trail: CommandTrail) => Promise<T>,
): Promise<T> {
  const protection = await startProtection({ models, masterKeys: await localMasterKeys(config) });
  const audit = createAuditTrail({
    models,
    keyOf: auditKeys(protection.protectionOf),
    logger: createLogger(config.logLevel, `riskgraph-${command}`),
  });
  try {
    return await work({ audit, protection });
  } finally {
    await audit.close();
  }
}

/** Who the audit trail says did it when it was a command: nobody has logged in, but they have the database and its keys. */
export const commandActor = (organizationId: string): AuditActor => ({
  organizationId,
  username: commandLineUsername,
  origin: { requestId: randomUUID(), address: 'local' },
});
