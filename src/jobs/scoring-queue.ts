import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { createGroupCommit } from '../storage/group-commit.js';
import { withinTime } from '../process/within-time.js';

/** Redeliveries by the queue itself, for when MongoDB cannot even record an attempt; attempts proper are counted there. */
const redeliveries = 50;

/** BullMQ's own highest priority; 0 there means none. */
const highestPriority = 1;

const dispatched = { scoringJobId: z.string().regex(/^[0-9a-f]{24}$/), dispatch: z.number().int() };

/** An entry carries ids and numbers, nothing of a patient. It is parsed again on arrival: old entries outlive deploys. */
export const queueEntrySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('single'), ...dispatched }),
  z.object({ kind: z.literal('chunk'), ...dispatched, chunk: z.number().int().min(0) }),
]);
export type QueueEntry = z.infer<typeof queueEntrySchema>;
export type EntryKind = QueueEntry['kind'];

/** A function for each kind of entry. The compiler asks for one when there is a new kind. */
export type ByEntryKind<Result> = {
  readonly [Kind in EntryKind]: (entry: Extract<QueueEntry, { kind: Kind }>) => Result;
};

/** Calls the function that is there for entries of this kind. */
export function callByKind<Result>(functions: ByEntryKind<Result>, entry: QueueEntry): Result {
  // The compiler does not see that the entry's kind is that of the function.
  return (functions[entry.kind] as (entry: QueueEntry) => Result)(entry);
}

/**
 * BullMQ queues by kind of entry. Each kind has its own, so that each worker keeps slots for single jobs however many
 * chunks wait, and runs only few chunks at once.
 */
export const queueNames: Readonly<Record<EntryKind, string>> = { single: 'scoring-single', chunk: 'scoring-chunk' };
export const entryKinds = Object.keys(queueNames) as EntryKind[];

const idsByKind: ByEntryKind<string> = {
  single: ({ scoringJobId, dispatch }) => `${scoringJobId}-${dispatch}`,
  chunk: ({ scoringJobId, dispatch, chunk }) => `${scoringJobId}-${dispatch}-${chunk}`,
};

/** BullMQ job id of an entry: the same work dispatched again gets another id, so an old entry never blocks it. */
const queueEntryId = (entry: QueueEntry): string => callByKind(idsByKind, entry);

/** The conveyor belt: may lose everything at any moment. */
export interface ScoringQueue {
  /** False when Redis does not take it now; the reconciler will bring it. Never throws, never waits long. */
  add(entries: readonly QueueEntry[], priority: number): Promise<boolean>;
  /** @returns the entries that the queue does not know. @throws when Redis is away */
  missing(entries: readonly QueueEntry[]): Promise<QueueEntry[]>;
  close(): Promise<void>;
}

interface ScoringQueueDependencies {
  /** A connection of its own, failing fast: a caller waits for it. The queue closes it. */
  readonly connection: Redis;
  readonly prefix: string;
  readonly retryDelayMs: number;
  /** How long a caller waits for Redis. */
  readonly timeoutMs: number;
  readonly logger: Logger;
}

export function createScoringQueue({
  connection,
  prefix,
  retryDelayMs,
  timeoutMs,
  logger,
}: ScoringQueueDependencies): ScoringQueue {
  const connect = (kind: EntryKind): Queue => {
    const queue = new Queue(queueNames[kind], { connection, prefix, skipVersionCheck: true });
    queue.on('error', (error) => logger.warn({ reason: error.message }, 'scoring queue'));
    return queue;
  };
  const queues: Readonly<Record<EntryKind, Queue>> = { single: connect('single'), chunk: connect('chunk') };
  const jobOptions: JobsOptions = {
    attempts: redeliveries,
    backoff: { type: 'exponential', delay: retryDelayMs, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
  };

  /** Jobs that are submitted at the same time reach Redis in one round trip. */
  const addTogether = createGroupCommit<{ readonly entries: readonly QueueEntry[]; readonly priority: number }, void>(
    async (calls) => {
      const jobs = calls.flatMap(({ entries, priority }) =>
        entries.map((entry) => ({
          name: entry.kind,
          data: entry,
          opts: { ...jobOptions, jobId: queueEntryId(entry), priority: priority + highestPriority },
        })),
      );
      const kinds = entryKinds.map((kind) => ({
        queue: queues[kind],
        jobs: jobs.filter(({ name }) => name === kind),
      }));
      await withinTime(
        Promise.all(kinds.filter(({ jobs }) => jobs.length > 0).map(({ queue, jobs }) => queue.addBulk(jobs))),
        timeoutMs,
        late,
      );
      return calls.map(() => ({ value: undefined }));
    },
  );

  return {
    async add(entries, priority) {
      try {
        await addTogether({ entries, priority });
        return true;
      } catch (error) {
        logger.warn(
          { entries: entries.length, reason: reasonOf(error) },
          'Redis did not take the job, the reconciler will queue it',
        );
        return false;
      }
    },
    async missing(entries) {
      if (entries.length === 0) return [];
      const pipeline = connection.pipeline();
      for (const entry of entries) pipeline.exists(queues[entry.kind].toKey(queueEntryId(entry)));
      const answers = (await withinTime(pipeline.exec(), timeoutMs, late)) ?? [];
      return entries.filter((_, index) => {
        const [error, exists] = answers[index] ?? [new Error('no answer'), null];
        if (error) throw error;
        return exists === 0;
      });
    },
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close().catch(() => undefined)));
      connection.disconnect();
    },
  };
}

function late(): never {
  throw new Error('Redis does not answer in time');
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');
