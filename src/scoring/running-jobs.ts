import type { EventBus } from '../events/event-bus.js';

/** The jobs that this process is running, so that a cancellation in any process reaches them. */
export interface RunningJobs {
  /** Runs `work` with a signal that is aborted when the job is cancelled. */
  run<T>(scoringJobId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
}

export function createRunningJobs(events: EventBus): RunningJobs {
  const running = new Map<string, Set<AbortController>>();
  const abort = (id: string): void => running.get(id)?.forEach((controller) => controller.abort());
  const stop = events.subscribe('scoringJobCancelRequested', ({ scoringJobId }) => abort(scoringJobId));
  return {
    async run(id, work) {
      const controller = new AbortController();
      const ofJob = running.get(id) ?? new Set();
      running.set(id, ofJob.add(controller));
      try {
        return await work(controller.signal);
      } finally {
        ofJob.delete(controller);
        if (ofJob.size === 0) running.delete(id);
      }
    },
    close: stop,
  };
}
