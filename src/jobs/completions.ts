/*
 * The end of a single job in one write: the prediction, the patient's latest result, and the state of the job.
 *
 * 1. The predictions of jobs that end at the same time get the next numbers of their log.
 * 2. One bulk write of several collections claims the jobs that are not claimed yet. Then it inserts the predictions, then
 *    writes the latest results, then ends the jobs. MongoDB keeps this order, and stops at the first write that it refuses.
 *    So a crash leaves a part of what the separate writes would leave, and the same repairs suffice.
 * 3. When another worker has taken the first number, no prediction is written, and the numbers are read again. A job that
 *    can no longer be claimed has been cancelled, or taken: then no prediction is written either.
 * 4. When anything else is refused, the caller makes the writes one after the other. It finds what was stored already.
 *
 * MongoDB has such writes since version 8.0 (joint-writes.ts). With an earlier one, all writes are made one after the other.
 */
import { randomUUID } from 'node:crypto';
import type { Models, Prediction } from '../../models/index.js';
import { latestResultWrite } from '../predictions/latest-results.js';
import type { LogWriter } from '../storage/document-log.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';
import { createJointWrites, into, type JointOutcome } from '../storage/joint-writes.js';
import { changeStatements, jobsWritten, updateOrRefusal, type JobChangeRequest } from './compare-and-set.js';

/** The change that ends a job, and the prediction that belongs to it. */
interface Completion extends JobChangeRequest {
  readonly prediction: Prediction;
  /** Claims the job. Absent when it is claimed already. The change that ends the job is one of the claimed job. */
  readonly claim?: JobChangeRequest;
}

/**
 * Writes completions together. The result tells whether all of it was written. If not, any part of it may have been, in
 * the order of the writes.
 */
export type Completions = GroupCommit<Completion, boolean>;

/** Most times that the numbers are read again because another worker has taken the first of them. */
const largestTries = 3;

export function createCompletions(
  { scoringJobs, patients, predictions }: Models,
  log: Pick<LogWriter<Prediction>, 'number'>,
): Completions {
  const joint = createJointWrites(predictions.db);
  /** @returns undefined when it is not known what was written */
  async function tryWrite(
    claims: readonly JobChangeRequest[],
    completions: readonly Completion[],
    writeId: string,
  ): Promise<JointOutcome | undefined> {
    const numbered = await log.number(completions.map(({ prediction }) => prediction));
    const insert = { ...into(predictions), name: 'insertOne' } as const;
    const update = { ...into(patients), name: 'updateOne' } as const;
    const claim = { ...into(scoringJobs), name: 'updateOne' } as const;
    const change = { ...into(scoringJobs), name: 'updateMany' } as const;
    // Not the write id of the ends: a job that was only claimed must not be taken for one that has ended.
    const claimId = randomUUID();
    const outcome = await joint
      .write([
        ...claims.map((request) => ({ ...claim, ...updateOrRefusal(request, claimId) })),
        ...numbered.documents.map((document) => ({ ...insert, document })),
        ...completions.map(({ prediction }) => ({ ...update, ...latestResultWrite(prediction) })),
        ...changeStatements(completions, writeId).map(({ updateMany }) => ({ ...change, ...updateMany })),
      ])
      .catch(() => undefined);
    numbered.settle(outcome !== undefined && !outcome.refused);
    return outcome;
  }

  /** @returns whether the answer tells that all was written. If it does not, any part of it may have been */
  async function write(completions: readonly Completion[], writeId: string): Promise<boolean> {
    let claims = completions.flatMap(({ claim }) => claim ?? []);
    let outcome = await tryWrite(claims, completions, writeId);
    // The first prediction was refused, so none was written: another worker has taken the number. It may do so again.
    for (let tries = 1; outcome?.refused?.index === claims.length && tries < largestTries; tries += 1) {
      claims = [];
      outcome = await tryWrite(claims, completions, writeId);
    }
    // A latest result that is newer is left alone. Then the number of changes does not tell what became of the jobs.
    return outcome !== undefined && !outcome.refused && outcome.modified === claims.length + 2 * completions.length;
  }

  return createGroupCommit(
    async (completions) => {
      if (!joint.available) return completions.map(() => ({ value: false }));
      const writeId = randomUUID();
      if (await write(completions, writeId)) return completions.map(() => ({ value: true }));
      const written = await jobsWritten(scoringJobs, completions, writeId);
      return completions.map(({ job }) => ({ value: written.has(job._id.toHexString()) }));
    },
    { largest: largestCohort },
  );
}
