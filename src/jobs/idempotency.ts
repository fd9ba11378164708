import { createHash } from 'node:crypto';
import type { ScoringJob } from '../../models/index.js';
import { ConflictError } from '../errors.js';
import type { Viewer } from '../auth/viewer.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { FieldWriter } from '../protection/protection.js';

/** Keyed hashes of an idempotency key and of its request. The job keeps them to recognise both, and nothing more. */
export type RequestIdentity = Required<Pick<ScoringJob, 'idempotencyKeyIndex' | 'requestHash'>>;

/**
 * Identifies a request by its idempotency key. The key belongs to the caller, a user or an API key: the same text of
 * another caller is another key.
 * @returns undefined for a request without an idempotency key
 */
export async function identifyRequest(
  { protection }: OrganizationScope,
  { username }: Pick<Viewer, 'username'>,
  request: { readonly idempotencyKey?: string | null; readonly [argument: string]: unknown },
): Promise<RequestIdentity | undefined> {
  if (request.idempotencyKey == null) return undefined;
  const key = JSON.stringify([username, request.idempotencyKey]);
  return indexRequest(await protection.writer(), key, hashOf(request));
}

/**
 * @param hash SHA-256 of the request. It is hashed again with a secret key, because a patient's name in a filter could
 *   be guessed from a plain hash.
 */
function indexRequest({ blindIndex }: FieldWriter, key: string, hash: string): RequestIdentity {
  return {
    idempotencyKeyIndex: blindIndex('scoring_jobs.idempotencyKey', key),
    requestHash: blindIndex('scoring_jobs.requestHash', hash),
  };
}

/**
 * Finds the job that was submitted before with the same idempotency key. It is found also
 * when its patient was erased since, or is closed to the viewer now.
 * @throws ConflictError when the key was used for another request
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

/** @throws ConflictError when the key was used for another request */
export function refuseOtherRequest(job: ScoringJob, identity: RequestIdentity | undefined): void {
  if (job.requestHash !== identity?.requestHash) {
    throw new ConflictError(
      'idempotencyKey',
      'This idempotencyKey was used for another request: use a new key for a new request.',
    );
  }
}

function hashOf(request: object): string {
  const given = Object.entries(request)
    .filter(([, value]) => value != null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(given)).digest('hex');
}
