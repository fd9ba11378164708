import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Prediction } from '../../models/index.js';
import { ServiceUnavailableError } from '../errors.js';
import { createAsyncQueue, type AsyncQueue } from '../events/async-queue.js';
import type { EventBus } from '../events/event-bus.js';
import type { Topics } from '../events/topics.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { sharedMs } from './shared-reads.js';
import { storedPredictions } from './stored-predictions.js';
import { logError } from '../process/logger.js';

/** Most ids that are kept in memory for a slow reader. The subscription of a slower reader ends with an error. */
const largestBacklog = 100_000;

/** Streams with the ids of new predictions of one organization or, if a patient is given, of that patient. */
export interface PredictionStreams {
  follow(organizationId: string, patientId: string | null): AsyncQueue<string>;
  /** Number of subscribers. */
  readonly size: number;
  close(): void;
}

interface Follower {
  readonly organizationId: string;
  readonly patientId: string | null;
  readonly ids: AsyncQueue<string>;
}

interface PredictionStreamDependencies {
  readonly events: EventBus;
  readonly scopeOf: ScopeOf;
  readonly logger: Logger;
}

export function createPredictionStreams({ events, scopeOf, logger }: PredictionStreamDependencies): PredictionStreams {
  const followers = new Set<Follower>();
  const followersOf = (organizationId: string): Follower[] =>
    [...followers].filter((follower) => follower.organizationId === organizationId);

  function deliver({ organizationId, predictionIds, patientIds }: Topics['predictionsCreated']): void {
    for (const follower of followersOf(organizationId)) {
      predictionIds.forEach((id, index) => {
        if (follower.patientId === null || follower.patientId === patientIds[index]) push(follower.ids, id);
      });
    }
  }

  async function readBlock({ organizationId, blockId }: Topics['predictionBlockCreated']): Promise<void> {
    if (followersOf(organizationId).length === 0) return;
    const results = await storedPredictions(scopeOf({ organizationId })).ofBlock(new Types.ObjectId(blockId));
    deliver({
      organizationId,
      predictionIds: results.map(({ _id }) => _id.toHexString()),
      patientIds: results.map(({ patient }) => patient.toHexString()),
    });
  }

  const stopListening = [
    events.subscribe('predictionsCreated', deliver),
    events.subscribe('predictionBlockCreated', (event) => {
      readBlock(event).catch((error: unknown) =>
        logError(logger, error, 'subscribers did not get the predictions of a block', {
          level: 'warn',
          blockId: event.blockId,
        }),
      );
    }),
  ];

  return {
    get size() {
      return followers.size;
    },
    follow(organizationId, patientId) {
      const ids = createAsyncQueue<string>({ onClose: () => followers.delete(follower) });
      const follower: Follower = { organizationId, patientId, ids };
      followers.add(follower);
      return ids;
    },
    close() {
      stopListening.forEach((stop) => stop());
      followers.forEach(({ ids }) => ids.close());
    },
  };
}

/** Adds an id to the queue of a reader. If the reader is too far behind, its stream fails. */
function push(ids: AsyncQueue<string>, id: string): void {
  if (ids.length < largestBacklog) return ids.push(id);
  ids.fail(
    new ServiceUnavailableError(
      'This subscription is too far behind: subscribe again, ' +
        'and read what it has missed with predictions(filter: { createdAfter }).',
    ),
  );
}

/** One event: a prediction, or the error with which it could not be read. */
export type StreamedPrediction = { readonly prediction: Prediction } | { readonly error: unknown };

/** Most predictions that are read ahead of a follower, in the same query as the one that it waits for. */
const mostAhead = 100;

/**
 * Reads each prediction whose id is in the stream, and those that follow it in the same query. A prediction that was
 * deleted or is not visible to the viewer is left out. A prediction that cannot be read gives an event with the error,
 * so that the stream goes on.
 * @param read returns null for a prediction that is to be left out. It shares its reads for a second (shared-reads.ts)
 */
export function readEach(
  ids: AsyncQueue<string>,
  read: (id: string) => Promise<Prediction | null>,
): AsyncIterableIterator<StreamedPrediction> {
  let ahead = 0;
  let readAheadAt = 0;
  function readAhead(): void {
    if (ahead > 0 && Date.now() - readAheadAt < sharedMs) {
      ahead -= 1;
      return;
    }
    const upcoming = ids.upcoming(mostAhead);
    ahead = upcoming.length;
    readAheadAt = Date.now();
    // The follower gets the error of each read when it comes to it.
    for (const id of upcoming) read(id).catch(() => undefined);
  }
  return {
    async next() {
      for (;;) {
        const id = await ids.next();
        if (id.done) return id;
        try {
          const reading = read(id.value);
          readAhead();
          const prediction = await reading;
          if (prediction) return { done: false, value: { prediction } };
        } catch (error) {
          return { done: false, value: { error } };
        }
      }
    },
    // Ends a `next` that is still waiting. A generator would end it only at the next event.
    async return() {
      ids.close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
