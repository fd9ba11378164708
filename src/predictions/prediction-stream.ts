/*
 * Subscriptions to new predictions, which lose none and repeat none.
 *
 * 1. Each follower has a place in the log of its organization (src/storage/document-log.ts). A new one begins at the end
 *    of the log, and one that resumes at the place of its cursor.
 * 2. An event says that predictions were stored, and nothing else. Followers also look on their own every few seconds, in
 *    case an event was lost.
 * 3. When its reader wants more, the follower reads on from its place. A slow reader costs no memory.
 * 4. Predictions of patients who are closed to the viewer are passed over (visible-log.ts).
 * 5. Each other prediction is read with the rights that the viewer has then. It is passed over when it may not be seen.
 * 6. Each event has a cursor: the place right behind it.
 */
import type { Logger } from 'pino';
import type { Models, Prediction } from '../../models/index.js';
import { BadUserInputError } from '../errors.js';
import { createAsyncQueue, type AsyncQueue } from '../events/async-queue.js';
import type { EventBus } from '../events/event-bus.js';
import { logError } from '../process/logger.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { isDatabaseOutage } from '../storage/database.js';
import { createLogReader, type LoggedPrediction, type LogPlace } from './log-reader.js';
import { sharedMs } from './shared-reads.js';
import { streamCursors } from './stream-cursors.js';
import { createVisibleLog, type Follower } from './visible-log.js';

/** Period after which all followers look again, in case Redis lost an event. Milliseconds. */
const sweepPeriodMs = 5_000;

/** The predictions that a follower may be interested in. */
interface WantedPredictions {
  readonly follower: Follower;
  /** Only predictions of this patient; null for those of all. */
  readonly patientId: string | null;
  /** Cursor of an earlier event; null to begin at the end. */
  readonly after: string | null;
}

/** The new predictions of one follower. */
export interface PredictionStream {
  readonly predictions: AsyncQueue<LoggedPrediction>;
  readonly cursorOf: (place: LogPlace) => string;
  /** Cursor of the place where it began. */
  readonly start: string;
}

export interface PredictionStreams {
  /** @throws BadUserInputError for a cursor that no such stream gave */
  follow(wanted: WantedPredictions): Promise<PredictionStream>;
  /** Number of subscribers. */
  readonly size: number;
  close(): void;
}

interface PredictionStreamDependencies {
  readonly models: Pick<Models, 'predictions' | 'predictionBlocks'>;
  readonly events: EventBus;
  readonly scopeOf: ScopeOf;
  readonly logger: Logger;
}

export function createPredictionStreams({
  models,
  events,
  scopeOf,
  logger,
}: PredictionStreamDependencies): PredictionStreams {
  const log = createLogReader(models);
  const selectVisible = createVisibleLog(scopeOf);
  const followers = new Map<string, Set<AsyncQueue<LoggedPrediction>>>();
  let size = 0;
  function wake(ofOne: Iterable<AsyncQueue<LoggedPrediction>> = []): void {
    for (const predictions of ofOne) predictions.wake();
  }
  function wakeAll(): void {
    log.forget();
    for (const ofOne of followers.values()) wake(ofOne);
  }
  const stopListening = [
    events.subscribe('predictionsCreated', ({ organizationId }) => {
      log.forget();
      wake(followers.get(organizationId));
    }),
    events.onGap(wakeAll),
  ];
  const sweeper = setInterval(wakeAll, sweepPeriodMs);
  sweeper.unref();

  function enter({ follower, patientId }: WantedPredictions, from: LogPlace): AsyncQueue<LoggedPrediction> {
    const { organizationId } = follower;
    const ofOne = followers.get(organizationId) ?? new Set();
    let place = from;
    let ended = false;
    const predictions = createAsyncQueue<LoggedPrediction>({
      async refill() {
        try {
          for (let more = true; more && !ended;) {
            const found = await log.read(organizationId, place, patientId);
            const visible = await selectVisible(follower, found.predictions);
            ({ place, more } = found);
            predictions.push(...visible);
            if (visible.length > 0) break;
          }
          if (predictions.length() > 0) predictions.wake();
        } catch (error) {
          // While MongoDB cannot be reached, the follower waits, and a later sweep wakes it.
          if (!isDatabaseOutage(error)) throw error;
          logError(logger, error, 'new predictions could not be read', { level: 'warn', organizationId });
        }
      },
      onClose() {
        ended = true;
        ofOne.delete(predictions);
        if (ofOne.size === 0) followers.delete(organizationId);
        size -= 1;
      },
    });
    followers.set(organizationId, ofOne.add(predictions));
    size += 1;
    // The events of predictions that were stored since the place was read have come already.
    predictions.wake();
    return predictions;
  }

  /** The place of a cursor. @throws BadUserInputError */
  async function placeOf(organizationId: string, place: LogPlace | undefined): Promise<LogPlace> {
    if (!place) throw wrongCursor('is not a cursor of this subscription: pass the cursor of an event that it sent');
    const isAhead = (end: LogPlace): boolean => place.single > end.single || place.block > end.block;
    if (!isAhead(await log.end(organizationId))) return place;
    // That read may have begun before the prediction was stored.
    log.forget();
    if (!isAhead(await log.end(organizationId))) return place;
    throw wrongCursor(
      'is ahead of all predictions, as after a backup was restored: read predictions, and subscribe without it',
    );
  }

  return {
    get size() {
      return size;
    },
    async follow(wanted) {
      const { patientId, after } = wanted;
      const { organizationId } = wanted.follower;
      const { protection } = scopeOf({ organizationId });
      const cursors = await streamCursors(protection, patientId);
      const place = after === null ? await log.end(organizationId) : await placeOf(organizationId, cursors.read(after));
      const predictions = enter(wanted, place);
      return { predictions, cursorOf: cursors.write, start: cursors.write(place) };
    },
    close() {
      clearInterval(sweeper);
      stopListening.forEach((stop) => stop());
      [...followers.values()].flatMap((ofOne) => [...ofOne]).forEach((predictions) => predictions.close());
    },
  };
}

const wrongCursor = (message: string): BadUserInputError => new BadUserInputError([{ path: 'after', message }]);

/** One event: a prediction with its cursor, or the error with which it could not be read. */
export type StreamedPrediction =
  { readonly prediction: Prediction; readonly cursor: string } | { readonly error: unknown };

/** Most predictions that are read ahead of a follower, in the same query as the one that it waits for. */
const mostAhead = 100;

/**
 * Reads each prediction of a stream, and those that follow it in the same query. A prediction that was deleted or is not
 * visible to the viewer is left out. A prediction that cannot be read gives an event with the error, so that the stream
 * goes on; the cursor before it gives it again.
 * @param read returns null for a prediction that is to be left out. It shares its reads for a second (shared-reads.ts)
 */
export function readEach(
  { predictions, cursorOf }: Pick<PredictionStream, 'predictions' | 'cursorOf'>,
  read: (id: string) => Promise<Prediction | null>,
): AsyncIterableIterator<StreamedPrediction> {
  let ahead = 0;
  let readAheadAt = 0;
  function readAhead(): void {
    if (ahead > 0 && Date.now() - readAheadAt < sharedMs) {
      ahead -= 1;
      return;
    }
    const upcoming = predictions.upcoming(mostAhead);
    ahead = upcoming.length;
    readAheadAt = Date.now();
    // The follower gets the error of each read when it comes to it.
    for (const { id } of upcoming) read(id).catch(() => undefined);
  }
  return {
    async next() {
      for (;;) {
        const logged = await predictions.next();
        if (logged.done) return logged;
        try {
          const reading = read(logged.value.id);
          readAhead();
          const prediction = await reading;
          if (prediction)
            return { done: false, value: new PredictionEvent(prediction, () => cursorOf(logged.value.place)) };
        } catch (error) {
          return { done: false, value: { error } };
        }
      }
    },
    // Ends a `next` that is still waiting. A generator would end it only at the next event.
    async return() {
      predictions.close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The cursor is made for a subscriber who asks for it. */
class PredictionEvent {
  constructor(
    readonly prediction: Prediction,
    private readonly makeCursor: () => string,
  ) {}

  get cursor() {
    return this.makeCursor();
  }
}
