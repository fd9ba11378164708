/*
 * Revocations: every process of the deployment refuses a revoked credential within a second. Step by step:
 *
 *   1. `revoke` stores the revocation in MongoDB, and raises the number of the latest revocation there (the epoch).
 *   2. It applies the revocation in its own memory, writes the epoch to Redis, and publishes an event.
 *   3. Another process that gets the event reads the new revocations from MongoDB at once.
 *   4. A process that misses the event reads the epoch from Redis every 400 ms, and reads MongoDB when the epoch
 *      differs.
 *   5. It reads MongoDB too when Redis is away, or when its last read of MongoDB is at least 500 ms old.
 *   6. Every 5 minutes it reads all revocations again.
 */
import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { EventBus } from '../../events/event-bus.js';
import type { Identity } from '../../auth/viewer.js';
import type { RevocationEpochs } from './revocation-epoch.js';
import { createRevocationList } from './revocation-list.js';
import type { RevocationStore, RevokedSubject } from './revocation-store.js';
import { logError } from '../../process/logger.js';
import { createSerialTask } from '../../process/serial-task.js';

/**
 * Time between two reads of the epoch in Redis. Redis may take 200 ms, then MongoDB is read. So a process that missed
 * the event knows a revocation within a second. Milliseconds.
 */
const lookPeriodMs = 400;
/**
 * Time for which the epoch of Redis alone is trusted: the process that revoked may not have reached Redis.
 * Milliseconds.
 */
const mongoPeriodMs = 500;
/** Time by which each read goes back, because a write may become readable late. Milliseconds of MongoDB's clock. */
const overlapMs = 60_000;
/** Time between two reads of all revocations. Milliseconds. */
const wholePeriodMs = 5 * 60_000;

/** Revokes credentials before they expire. */
export type Revoke = (organization: Types.ObjectId, subjects: readonly RevokedSubject[]) => Promise<void>;

/** The revoked credentials of the whole deployment, as this process knows them: at most a second late. */
export interface Revocations {
  /**
   * Reads all revocations and begins to follow new ones. A second call does nothing.
   * @throws Error when MongoDB is away
   */
  start(): Promise<void>;
  /** Tells whether the credential of an identity is revoked. @throws Error before `start` has resolved */
  isRevoked(identity: Identity): boolean;
  /**
   * Revokes. When it resolves, the revocation is durable and in force in this process; within a second in all others.
   */
  readonly revoke: Revoke;
  /** Seconds since this process last knew all revocations. 0 before `start`. */
  ageSeconds(): number;
  /** Calls `listener` after each revocation. @returns a function that removes the listener */
  onChange(listener: () => void): () => void;
  /** Stops following revocations, and waits for reads under way. */
  close(): Promise<void>;
}

interface RevocationDependencies {
  readonly store: RevocationStore;
  readonly epochs: RevocationEpochs;
  readonly events: EventBus;
  readonly logger: Logger;
}

/**
 * Follows revocations as described at the head of this file. If Redis has lost the epoch, or holds a wrong one, the
 * first process that notices writes it again.
 */
export function createRevocations({ store, epochs, events, logger }: RevocationDependencies): Revocations {
  const list = createRevocationList();
  const listeners = new Set<() => void>();
  let known = -1;
  let latest: Date | null = null;
  let readAll = 0;
  let mongoAskedAt = 0;
  let knownAt: number | undefined;
  let started: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let looking: Promise<void> = Promise.resolve();

  function apply(records: Parameters<typeof list.apply>[0]): void {
    if (records.length === 0) return;
    list.apply(records);
    for (const listener of [...listeners]) listener();
  }

  async function read(): Promise<void> {
    const now = Date.now();
    const whole = latest === null || now - readAll > wholePeriodMs;
    // The epoch is read first. A revocation stored between the two reads is then read twice; otherwise it could be
    // missed.
    const epoch = await store.epoch();
    mongoAskedAt = now;
    if (epoch === known && !whole) return;
    const records = await store.read(whole ? null : new Date(latest!.getTime() - overlapMs));
    if (whole) readAll = now;
    latest = records.reduce(
      (newest, { recordedAt }) => (recordedAt > newest ? recordedAt : newest),
      latest ?? new Date(0),
    );
    known = epoch;
    list.forget(new Date());
    apply(records);
  }

  const reading = createSerialTask(read);

  async function look(): Promise<void> {
    const seen = await epochs.read();
    const asked = performance.now();
    if (seen !== known || Date.now() - mongoAskedAt >= mongoPeriodMs) await reading.run();
    knownAt = asked;
    if (typeof seen === 'number' && seen > known)
      logger.error(
        { seen, known },
        'MongoDB has fewer revocations than Redis has seen. If it was restored from a backup, run "riskgraph restored"',
      );
    if (seen !== 'away' && seen !== known) await epochs.announce(known, seen ?? undefined);
  }

  function schedule(): void {
    if (closed) return;
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => logError(logger, error, 'revocations not read', { level: 'debug' }))
        .finally(schedule);
    }, lookPeriodMs);
    timer.unref();
  }

  const follow = (): void => void reading.run().catch(() => undefined);
  const stopListening = [
    events.subscribe('credentialsRevoked', ({ epoch }) => (epoch > known ? follow() : undefined)),
    events.onGap(follow),
  ];

  return {
    start: () =>
      (started ??= reading.run().then(schedule, (error: unknown) => {
        started = undefined;
        throw error;
      })),
    isRevoked(identity) {
      if (known < 0) throw new Error('Revocations have not been read yet: call start() first.');
      return list.isRevoked(identity);
    },
    async revoke(organization, subjects) {
      const { epoch, records } = await store.record(organization, subjects);
      apply(records);
      await epochs.announce(epoch);
      events.publish('credentialsRevoked', { epoch });
    },
    ageSeconds: () => (knownAt === undefined ? 0 : (performance.now() - knownAt) / 1_000),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      stopListening.forEach((stop) => stop());
      listeners.clear();
      await Promise.allSettled([looking, reading.settled()]);
    },
  };
}
