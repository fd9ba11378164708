import { createHash } from 'node:crypto';
import type { ScoringJob } from '../../models/index.js';
import { ConflictError } from '../errors.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { FieldWriter } from '../protection/protection.js';

/** What a job keeps of the idempotency key and of the request that came under it: enough to know both again, and no more. */
export type RequestIdentity = Required<Pick<ScoringJob, 'idempotencyKeyIndex' | 'requestHash'>>;

/** Undefined for a request without an idempotency key. */
export async function identifyRequest(
  { protection }: OrganizationScope,
  request: { readonly idempotencyKey?: string | null },
): Promise<RequestIdentity | undefined> {
  if (request.idempotencyKey == null) return undefined;
  return indexRequest(await protection.writer(), request.idempotencyKey, hashOf(request));
}

/** @param hash SHA-256 of the request. Hashed again under a key: a filter with a name in it could be guessed from a plain hash. */
function indexRequest({ blindIndex }: FieldWriter, idempotencyKey: string, hash: string): RequestIdentity {
  return {
    idempotencyKeyIndex: blindIndex('scoring_jobs.idempotencyKey', idempotencyKey),
    requestHash: blindIndex('scoring_jobs.requestHash', hash),
  };
}

/**
 * The job that was submitted under the request's idempotency key before, whatever became of its patient since.
 * @throws ConflictError when it was submitted for something else
 */
export async function findByKey(
  { scoringJobs }: OrganizationScope,
  identity: RequestIdentity | undefined,
): Promise<ScoringJob | null> {
  if (!identity) return null;
  const job = await scoringJobs.findOne({ idempotencyKeyIndex: identity.idempotencyKeyIndex });
  if (job) refuseOtherRequest(job, identity);
  return job;
}

/** @throws ConflictError when the key belongs to a request that asked for something else */
export function refuseOtherRequest(job: ScoringJob, identity: RequestIdentity | undefined): void {
  if (job.requestHash !== identity?.requestHash) {
    throw new ConflictError('This idempotencyKey was used for another request: use a new key for a new request.');
  }
}

function hashOf(request: object): string {
  const given = Object.entries(request)
    .filter(([, value]) => value != null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(given)).digest('hex');
}
