import { randomUUID } from 'node:crypto';
import type { Models } from '../../models/index.js';
import { auditKeys, createAuditTrail, type AuditWriter } from '../audit/audit-writer.js';
import type { Config } from '../config/config.js';
import { createLogger } from '../process/logger.js';
import { startProtection, type StartedProtection } from '../protection/start-protection.js';
import { localMasterKeys } from './secret-key.js';
import type { AuditActor } from '../audit/audit-trail.js';
import { commandLineUsername } from '../identity/users/username.js';

/** The parts with which a command records its actions, and reads and writes encrypted data. */
interface CommandTrail {
  readonly audit: AuditWriter;
  readonly protection: StartedProtection;
}

/**
 * Runs the work of a command whose actions are recorded, and closes the audit trail after it.
 * @param command name of the command in the log, which goes to standard error
 * @throws StartupError without the master keys of the database: work that cannot be recorded is not done
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

/**
 * Names the actor of a command in the audit trail. The operator has not logged in, but has the database and its keys.
 */
export const commandActor = (organizationId: string): AuditActor => ({
  organizationId,
  username: commandLineUsername,
  origin: { requestId: randomUUID(), address: 'local' },
});
