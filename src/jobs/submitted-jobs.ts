/*
 * Jobs that this process has just accepted, as they were submitted. Most callers follow a job as soon as they have submitted
 * it. The first event of such a job needs no read, and its patient was visible to the submitter a moment ago.
 */
import { LRUCache } from 'lru-cache';
import type { ScoringJob } from '../../models/index.js';
import type { Viewer } from '../auth/viewer.js';
import type { EventBus } from '../events/event-bus.js';
import { followerName, sharedMs } from '../predictions/shared-reads.js';

/** Most jobs that are kept. A job takes about three kilobytes. */
const mostJobs = 1_000;

export interface SubmittedJobs {
  /** Keeps a new job for a second. Its patient is visible to the viewer without breaking the glass. */
  keep(viewer: Viewer, job: ScoringJob): void;
  /** @returns the job, for its submitter; undefined when it was not kept, or has changed since */
  unchanged(viewer: Viewer, id: string): ScoringJob | undefined;
  /** Tells whether the viewer has submitted the job within the last second, and its patient was visible then. */
  isOwn(viewer: Viewer, id: string): boolean;
  /** Is told of a change that this process has made, before its event arrives. */
  noteChange(id: string, sequence: number | undefined): void;
  /** Stops listening to events. */
  close(): void;
}

interface Kept {
  readonly submitter: string;
  readonly job: ScoringJob;
  isChanged: boolean;
}

export function createSubmittedJobs(events: Pick<EventBus, 'subscribe' | 'onGap'>): SubmittedJobs {
  const kept = new LRUCache<string, Kept>({ max: mostJobs, ttl: sharedMs, perf: { now: () => performance.now() } });
  const ownOf = (viewer: Viewer, id: string): Kept | undefined => {
    const found = kept.get(id);
    return found?.submitter === followerName(viewer) ? found : undefined;
  };
  function noteChange(id: string, sequence: number | undefined): void {
    const found = kept.get(id);
    if (found && sequence !== found.job.status.sequence) found.isChanged = true;
  }
  const stopListening = [
    events.subscribe('scoringJobChanged', ({ scoringJobId, sequence }) => noteChange(scoringJobId, sequence)),
    events.onGap(() => kept.clear()),
  ];
  return {
    keep(viewer, job) {
      kept.set(job._id.toHexString(), { submitter: followerName(viewer), job, isChanged: false });
    },
    unchanged(viewer, id) {
      const found = ownOf(viewer, id);
      return found?.isChanged === false ? found.job : undefined;
    },
    isOwn: (viewer, id) => ownOf(viewer, id) !== undefined,
    noteChange,
    close: () => stopListening.forEach((stop) => stop()),
  };
}
