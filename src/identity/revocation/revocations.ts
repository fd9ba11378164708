import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { EventBus } from '../../events/event-bus.js';
import type { Identity } from '../../auth/viewer.js';
import type { RevocationEpochs } from './revocation-epoch.js';
import { createRevocationList } from './revocation-list.js';
import type { RevocationStore, RevokedSubject } from './revocation-store.js';
import { logError } from '../../process/logger.js';

/**
 * How often each process asks for the epoch. With what Redis may take (200 ms) and a read of MongoDB, a revocation of which
 * no event came is known within a second. Milliseconds.
 */
const lookPeriodMs = 400;
/** How often MongoDB is asked although Redis says that nothing is new: whoever revoked may not have reached Redis. Milliseconds. */
const mongoPeriodMs = 500;
/** How far back a reading goes, for writes that became visible late. Milliseconds of MongoDB's clock. */
const overlapMs = 60_000;
/** How often everything is read. Milliseconds. */
const wholePeriodMs = 5 * 60_000;

/** Ends credentials before their time. */
export type Revoke = (organization: Types.ObjectId, subjects: readonly RevokedSubject[]) => Promise<void>;

/** Which credentials are revoked, of the whole deployment, as this process knows it: no more than a second behind. */
export interface Revocations {
  /** Reads all there are and begins to follow. Does nothing the second time. @throws when MongoDB is away */
  start(): Promise<void>;
  isRevoked(identity: Identity): boolean;
  /** Durable when this resolves, in force here, and soon everywhere. */
  readonly revoke: Revoke;
  /** Calls `listener` after something was revoked. Returns the way out. */
  onChange(listener: () => void): () => void;
  /** Ends the following, and waits for what is under way. */
  close(): Promise<void>;
}

interface RevocationDependencies {
  readonly store: RevocationStore;
  readonly epochs: RevocationEpochs;
  readonly events: EventBus;
  readonly logger: Logger;
}

/**
 * MongoDB holds the revocations and counts them; Redis carries that count. Every process compares it with its own often,
 * and reads MongoDB when they differ. An event makes it immediate. Without Redis MongoDB is asked for the count instead;
 * when Redis was wiped, whoever notices first puts the count back.
 */
export function createRevocations({ store, epochs, events, logger }: RevocationDependencies): Revocations {
  const list = createRevocationList();
  const listeners = new Set<() => void>();
  let known = -1;
  let latest: Date | null = null;
  let readAll = 0;
  let mongoAskedAt = 0;
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
    // The count first: what is recorded meanwhile is read twice rather than never.
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

  /** One reading at a time; one that is asked for while another runs comes after it, as it may have begun too early. */
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function refresh(): Promise<void> {
    if (!reading) return (reading = read().finally(() => (reading = undefined)));
    next ??= reading
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  }

  async function look(): Promise<void> {
    const seen = await epochs.read();
    if (seen === known && Date.now() - mongoAskedAt < mongoPeriodMs) return;
    await refresh();
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

  const follow = (): void => void refresh().catch(() => undefined);
  const stopListening = [
    events.subscribe('credentialsRevoked', ({ epoch }) => (epoch > known ? follow() : undefined)),
    events.onGap(follow),
  ];

  return {
    start: () =>
      (started ??= refresh().then(schedule, (error: unknown) => {
        started = undefined;
        throw error;
      })),
    isRevoked(identity) {
      if (known < 0) throw new Error('revocations are not known yet: call start first');
      return list.isRevoked(identity);
    },
    async revoke(organization, subjects) {
      const { epoch, records } = await store.record(organization, subjects);
      apply(records);
      await epochs.announce(epoch);
      events.publish('credentialsRevoked', { epoch });
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      stopListening.forEach((stop) => stop());
      listeners.clear();
      await Promise.allSettled([looking, reading, next]);
    },
  };
}
