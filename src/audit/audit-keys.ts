import type { ProtectionOf } from '../protection/protection.js';
import type { AuditKeyOf } from './audit-writer.js';

/** The keys of the audit chains: one an organization, the same for ever, and never in the database in the clear. */
export function auditKeys(protectionOf: ProtectionOf): AuditKeyOf {
  return async (organization) => (await protectionOf(organization).writer()).derivedKey('audit');
}
