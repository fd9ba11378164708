import type { Types } from 'mongoose';
import type { AuditEvent, AuditHead, Models, Organization } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { againstHead } from './against-head.js';
import { archivedEnd, emptyChain, examineChain, type ChainEnd, type ChainReport } from './audit-chain.js';
import type { AuditKeyOf } from './audit-writer.js';

/** The result of examining the chain of one organization. */
export interface OrganizationReport extends ChainReport {
  readonly slug: string;
  /** The event behind which the stored events begin: those up to it are in archives. */
  readonly after: ChainEnd;
}

/**
 * Examines the audit chain of one organization, or the chains of all, one after the other.
 * @param only slug of the organization, and an end of its chain that was noted outside the database
 * @throws StartupError when there is no such organization
 */
export async function* verifyChains(
  models: Models,
  keyOf: AuditKeyOf,
  only?: { readonly slug: string; readonly anchor?: ChainEnd },
): AsyncGenerator<OrganizationReport> {
  const organizations = await models.organizations
    .find(only ? { slug: only.slug } : {})
    .sort({ slug: 1 })
    .lean<Organization[]>();
  if (only && organizations.length === 0)
    throw new StartupError(
      `There is no organization "${only.slug}": see the slugs that "riskgraph audit verify" lists without --org.`,
    );
  for (const { _id, slug } of organizations) {
    const key = await keyOf(_id);
    const report = await againstHead(models, _id, async (head) => {
      const result = await verifyChain(models, { organization: _id, key, head, anchor: only?.anchor });
      return { result, isSound: result.failures.length === 0 };
    });
    yield { slug, ...report };
  }
}

/** Examines a stored chain behind its archives, against a head that was read before. */
async function verifyChain(
  { auditEvents }: Models,
  {
    organization,
    key,
    head,
    anchor,
  }: {
    readonly organization: Types.ObjectId;
    readonly key: Buffer;
    readonly head: AuditHead | null;
    readonly anchor: ChainEnd | undefined;
  },
): Promise<Omit<OrganizationReport, 'slug'>> {
  const events = auditEvents.collection.find(
    { organization },
    { sort: { sequence: 1 } },
  ) as unknown as AsyncIterable<AuditEvent>;
  const archived = head ? archivedEnd(head, key) : emptyChain;
  const after = archived ?? emptyChain;
  const report = await examineChain(events, key, { head, anchor, after });
  const changed = { sequence: head?.archived?.sequence ?? 0, reason: 'the note of the archived events was changed' };
  return { after, ...report, failures: archived ? report.failures : [changed, ...report.failures] };
}
