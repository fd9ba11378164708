import { setImmediate as turn } from 'node:timers/promises';
import type { Prediction, ScoringJob } from '../../models/index.js';
import { sharedMs } from '../../src/predictions/shared-reads.js';

/** The parts of a job by which its prediction is found. */
type JobOfPrediction = Pick<ScoringJob, '_id' | 'patient'>;

/**
 * The prediction of a job that a subscription follows. It is read when an event tells that the job has ended, at the same
 * time as the job itself, so that the subscriber waits for MongoDB once less. The operation must have asked for it before,
 * with a change that came earlier.
 */
export interface EarlyPrediction {
  /** Tells that the operation asks for the prediction of this job, which has none yet. */
  expect(job: JobOfPrediction): void;
  /** Begins to read the prediction, if the operation asks for it. */
  begin(): void;
  /** @returns the prediction; null when none was read, when that was too long ago, or when there was none then */
  take(): Promise<Prediction | null>;
}

/** @param read reads the prediction of the job, checks the viewer's rights, and records that it is shown */
export function createEarlyPrediction(read: (job: JobOfPrediction) => Promise<Prediction | null>): EarlyPrediction {
  let expected: JobOfPrediction | undefined;
  let begun: { readonly since: number; readonly prediction: Promise<Prediction | null> } | undefined;
  return {
    expect(job) {
      expected = job;
    },
    begin() {
      const job = expected;
      if (!job) return;
      // The reading of the job waits for a turn too, and then both ask for the care team in one query. After an error the
      // prediction is read once more, as if it had not been read.
      const prediction = turn().then(() => read(job));
      begun = { since: performance.now(), prediction: prediction.catch(() => null) };
    },
    async take() {
      // The rights were checked when it was read. So it is shown only for as long as followers share a check.
      return begun && performance.now() - begun.since < sharedMs ? begun.prediction : null;
    },
  };
}
