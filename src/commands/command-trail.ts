import type { Models } from '../../models/index.js';
import { auditKeys } from '../audit/audit-keys.js';
import { createAuditTrail, type AuditWriter } from '../audit/audit-writer.js';
import type { Config } from '../config.js';
import { createLogger } from '../logger.js';
import { openProtection, type OpenProtection } from '../protection/open-protection.js';
import { localMasterKeys } from './master-keys.js';

/** What a command needs to record what it does, and to read and write what is encrypted. */
export interface CommandTrail {
  readonly audit: AuditWriter;
  readonly protection: OpenProtection;
}

/**
 * Does the work of a command that is recorded, and ends the audit trail after it.
 * @param command its name in the log, which is on standard error
 * @throws StartupError without the master keys of the database: what cannot be recorded is not done
 */
export async function withCommandTrail<T>(config: Config, models: Models, command: string, work: (trail: CommandTrail) => Promise<T>): Promise<T> {
  const protection = await openProtection(models, await localMasterKeys(config));
  const audit = createAuditTrail(models, auditKeys(protection.protectionOf), createLogger(config.logLevel, `riskgraph-${command}`));
  try {
    return await work({ audit, protection });
  } finally {
    await audit.close();
  }
}
