import { Types } from 'mongoose';
import type { JobEvent } from '../../src/client/submit.js';
import { completed, progressed, started } from '../../src/jobs/job-status.js';
import { patient, submit } from './scenario.js';
import type { System } from './system.js';

/** A job that a test changes itself, in place of a worker. */
interface ChangingJob {
  readonly id: string;
  /** Makes the next change. @returns its sequence number */
  advance(): Promise<number>;
  /** Starts the next attempt: a change that is never folded. */
  restart(): Promise<void>;
  /** Makes the last change. */
  complete(): Promise<void>;
}

/** Submits a job to a system without a worker, and starts it. */
export async function changingJob(system: System): Promise<ChangingJob> {
  const client = await system.client('CLINICIAN');
  const { id } = await submit(client, { patientId: (await patient(client)).id });
  const jobId = new Types.ObjectId(id);
  const { jobStore } = system.app;
  await jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
  return {
    id,
    async advance() {
      const job = await jobStore.change(jobId, ({ status }) => ({
        status: progressed(status, { processed: status.processed + 1 }),
      }));
      return job!.status.sequence;
    },
    async restart() {
      await jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
    },
    async complete() {
      await jobStore.change(jobId, ({ status }) => ({
        status: completed(status, { processed: status.processed, failed: 0 }, new Date()),
      }));
    },
  };
}

/** The events that do not follow the rule `sequence = previous + 1 + collapsed`, in words. */
export function ruleBreaks(events: readonly Pick<JobEvent, 'sequence' | 'collapsed'>[], after = 0): string[] {
  return events.flatMap(({ sequence, collapsed }, index) => {
    const previous = events[index - 1]?.sequence ?? after;
    return sequence === previous + 1 + collapsed ? [] : [`${sequence} with ${collapsed} collapsed after ${previous}`];
  });
}
