import { setImmediate as turn } from 'node:timers/promises';
import type { ScoringJob } from '../../models/index.js';
import type { ReadPrediction } from '../../src/predictions/prediction-service.js';
import { sharedMs } from '../../src/predictions/shared-reads.js';

/** The parts of a job by which its prediction is found. */
type JobOfPrediction = Pick<ScoringJob, '_id' | 'patient'>;

/**
 * The prediction of the one job that a subscription follows. It is read when an event tells that the job has ended, at the
 * same time as the job itself, so that the subscriber waits for MongoDB once less. It is read only if an earlier event
 * asked for it. Other jobs of the operation are passed over. The reading is recorded in the audit trail when the prediction
 * is shown; or, for a viewer who has just submitted the job, while it is read.
 */
export interface EarlyPrediction {
  /** Tells that the operation asks for the prediction of this job, which has none yet. */
  expect(job: JobOfPrediction): void;
  /**
   * Begins to read the prediction, if the operation asks for it.
   * @param isExpected true when the job is known to have completed
   */
  begin(isExpected: boolean): void;
  /** @returns what was read for this job; undefined when it must be read now */
  take(job: JobOfPrediction): Promise<ReadPrediction | undefined>;
}

/** @param read reads the prediction of the job, and the viewer's access to its patient */
export function createEarlyPrediction(
  followed: JobOfPrediction['_id'],
  read: (job: JobOfPrediction, isExpected: boolean) => Promise<ReadPrediction>,
): EarlyPrediction {
  let expected: JobOfPrediction | undefined;
  let begun: { readonly since: number; readonly reading: Promise<ReadPrediction | undefined> } | undefined;
  return {
    expect(job) {
      if (followed.equals(job._id)) expected = job;
    },
    begin(isExpected) {
      const job = expected;
      if (!job) return;
      // The reading of the job waits for a turn too, and then both ask for the care team in one query.
      const reading = turn().then(() => read(job, isExpected));
      begun = { since: performance.now(), reading: reading.catch(() => undefined) };
    },
    async take(job) {
      if (!begun || !followed.equals(job._id)) return undefined;
      const found = await begun.reading;
      // The access was read with it. So it is shown only for as long as followers share a check.
      return found?.prediction && performance.now() - begun.since < sharedMs ? found : undefined;
    },
  };
}
