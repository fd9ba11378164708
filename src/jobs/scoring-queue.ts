/*
 * The BullMQ queues in Redis, which bring work to the workers. Redis may lose entries at any time: MongoDB has the
 * jobs.
 *
 * Entry: a message that names work of one job. A `single` entry names a job of one patient, a `chunk` entry names one
 *   chunk of a batch.
 */
import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { createGroupCommit } from '../storage/group-commit.js';
import { logError } from '../process/logger.js';
import { withinTime } from '../process/within-time.js';
import { readQueueDepths, type QueueDepth } from './queue-depths.js';

/**
 * Deliveries of one entry by the queue itself. They matter only while MongoDB cannot record an attempt: MongoDB counts
 * the attempts of a job.
 */
const redeliveries = 50;

/** Highest priority in BullMQ. There, 0 means no priority. */
const highestPriority = 1;

const dispatched = { scoringJobId: z.string().regex(/^[0-9a-f]{24}$/), dispatch: z.number().int() };

/**
 * An entry has ids and numbers only, and no data of a patient. The worker parses it again, because an entry may come
 * from an earlier release.
 */
export const queueEntrySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('single'), ...dispatched }),
  z.object({ kind: z.literal('chunk'), ...dispatched, chunk: z.number().int().min(0) }),
]);
export type QueueEntry = z.infer<typeof queueEntrySchema>;
export type EntryKind = QueueEntry['kind'];

/** The parts of an entry that may be shown. An entry of another form may hold anything, so none of it is shown. */
export function shownEntry(data: unknown): QueueEntry | string {
  const entry = queueEntrySchema.safeParse(data);
  return entry.success ? entry.data : 'not an entry of this release';
}

/** A function for each kind of entry. The compiler reports a kind without one. */
export type ByEntryKind<Result> = {
  readonly [Kind in EntryKind]: (entry: Extract<QueueEntry, { kind: Kind }>) => Result;
};

/** Calls the function for entries of this kind. */
export function callByKind<Result>(functions: ByEntryKind<Result>, entry: QueueEntry): Result {
  // The compiler does not know that the function takes entries of this kind.
  return (functions[entry.kind] as (entry: QueueEntry) => Result)(entry);
}

/**
 * Names of the BullMQ queues by kind of entry. Each kind has its own queue. So each worker keeps slots for single jobs,
 * even if many chunks wait, and runs only few chunks at once.
 */
export const queueNames: Readonly<Record<EntryKind, string>> = { single: 'scoring-single', chunk: 'scoring-chunk' };
export const entryKinds = Object.keys(queueNames) as EntryKind[];

const idsByKind: ByEntryKind<string> = {
  single: ({ scoringJobId, dispatch }) => `${scoringJobId}-${dispatch}`,
  chunk: ({ scoringJobId, dispatch, chunk }) => `${scoringJobId}-${dispatch}-${chunk}`,
};

/** BullMQ job id of an entry. Work that is dispatched again gets another id, so an old entry never blocks it. */
const queueEntryId = (entry: QueueEntry): string => callByKind(idsByKind, entry);

/** Tells whether a text has the form of the id of an entry. */
export const isEntryId = (text: string): boolean => /^[0-9a-f]{24}-\d+(-\d+)?$/.test(text);

/** Adds entries to the queues. Redis may lose all of them at any time. */
export interface ScoringQueue {
  /**
   * Adds entries. Never throws, and waits for Redis for a short time only.
   * @returns false when Redis did not take the entries; the reconciler adds them later
   */
  add(entries: readonly QueueEntry[], priority: number): Promise<boolean>;
  /** @returns the entries that the queue does not know. @throws when Redis cannot be reached */
  missing(entries: readonly QueueEntry[]): Promise<QueueEntry[]>;
  /** Counts the waiting entries. @throws when Redis cannot be reached */
  depths(): Promise<QueueDepth[]>;
  close(): Promise<void>;
}

interface ScoringQueueDependencies {
  /** A connection for this queue alone. It must fail fast, because a caller waits for it. The queue closes it. */
  readonly connection: Redis;
  readonly prefix: string;
  readonly retryDelayMs: number;
  /** Time that a caller waits for Redis, milliseconds. */
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
    queue.on('error', (error) =>
      logError(logger, error, 'error of a scoring queue: check that Redis can be reached', {
        level: 'warn',
        queue: queueNames[kind],
      }),
    );
    return queue;
  };
  const queues: Readonly<Record<EntryKind, Queue>> = { single: connect('single'), chunk: connect('chunk') };
  const jobOptions: JobsOptions = {
    attempts: redeliveries,
    backoff: { type: 'exponential', delay: retryDelayMs, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
  };

  /** Adds entries. Entries that are added at the same time reach Redis in one round trip. */
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
        logError(logger, error, 'Redis did not take queue entries: the reconciler will add them later', {
          level: 'warn',
          entries: entries.length,
        });
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
    depths: () => readQueueDepths(connection, queues, highestPriority),
    async close() {
      await Promise.all(Object.values(queues).map((queue) => queue.close().catch(() => undefined)));
      connection.disconnect();
    },
  };
}

function late(): never {
  throw new Error('Redis does not answer in time');
}
