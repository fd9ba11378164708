/*
 * The first claims of jobs: those of jobs that are still as they were submitted. What such a claim writes does not depend
 * on what the job is about, so it is written before the job is known.
 *
 * - A claim on its own is one command, which writes it and returns the job.
 * - Claims that come at the same time share one write, and one read beside it.
 */
import { randomUUID } from 'node:crypto';
import type { Types } from 'mongoose';
import type { JobLease, Models, ScoringJob } from '../../models/index.js';
import { isDatabaseOutage } from '../storage/database.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';
import { applied, updateOfOne, type JobChangeRequest } from './compare-and-set.js';
import { started, submitted } from './job-status.js';

interface FirstClaim {
  readonly id: Types.ObjectId;
  readonly lease: JobLease;
  readonly now: Date;
}

/** Takes a job. @returns the job with the lease; null when the job is no longer as it was submitted, or is not there */
type FirstClaims = GroupCommit<FirstClaim, ScoringJob | null>;

interface FirstClaimsDependencies {
  readonly scoringJobs: Models['scoringJobs'];
  readonly find: GroupCommit<Types.ObjectId, ScoringJob | null>;
  readonly compareAndSet: GroupCommit<JobChangeRequest, boolean>;
}

export function createFirstClaims({ scoringJobs, find, compareAndSet }: FirstClaimsDependencies): FirstClaims {
  async function claimAlone(claim: FirstClaim): Promise<ScoringJob | null> {
    const { collection } = scoringJobs;
    const writeId = randomUUID();
    const { filter, update } = updateOfOne(firstClaimOf(claim), writeId);
    try {
      return (await collection.findOneAndUpdate(filter, update, { returnDocument: 'after' })) as ScoringJob | null;
    } catch (error) {
      if (!isDatabaseOutage(error)) throw error;
      // It may have been written. If it was not, the caller decides by the job as it is then.
      return (await collection.findOne({ _id: claim.id, 'status.writeId': writeId })) as ScoringJob | null;
    }
  }

  async function claimAmongOthers(claim: FirstClaim): Promise<ScoringJob | null> {
    const request = firstClaimOf(claim);
    const [found, isWritten] = await Promise.all([find(claim.id), compareAndSet(request)]);
    if (!found || !isWritten) return null;
    // The job was read before the write, or after it. A later change is seen by the next change of this claim.
    return found.status.sequence === request.job.status.sequence ? applied(found, request) : found;
  }

  return createGroupCommit(
    async (claims) => {
      if (claims.length === 1) return [{ value: await claimAlone(claims[0]!) }];
      return Promise.all(
        claims.map((claim) =>
          claimAmongOthers(claim).then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          ),
        ),
      );
    },
    { largest: largestCohort },
  );
}

/** The change that claims a job which is still as it was submitted. */
export function firstClaimOf({ id, lease, now }: FirstClaim): JobChangeRequest {
  const status = submitted();
  return { job: { _id: id, status }, status: started(status, now), set: { lease, attemptsThisRun: 1 } };
}
