import { hkdfSync } from 'node:crypto';
import type { AuditKeyOf } from './audit-writer.js';

/** The keys of the audit chains, one an organization, derived from one secret (HKDF, RFC 5869). */
export function auditKeys(secret: string): AuditKeyOf {
  return async (organization) => Buffer.from(hkdfSync('sha256', secret, organization.id, 'riskgraph audit', 32));
}
