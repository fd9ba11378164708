import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Prediction } from '../../models/index.js';
import { ServiceUnavailableError } from '../errors.js';
import type { EventBus } from '../events/event-bus.js';
import type { Topics } from '../events/topics.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { storedPredictions } from './stored-predictions.js';

/** Ids held for a reader that is behind; one that is further behind is sent away rather than kept in memory. */
const largestBacklog = 100_000;

/** Ids of predictions as they are stored, of one organization and, if given, one patient. */
export interface PredictionStreams {
  follow(organizationId: string, patientId: string | null): AsyncIterableIterator<string>;
  readonly size: number;
  close(): void;
}

interface Follower {
  readonly organizationId: string;
  readonly patientId: string | null;
  push(id: string): void;
  close(): void;
}

export interface PredictionStreamDependencies {
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
        if (follower.patientId === null || follower.patientId === patientIds[index]) follower.push(id);
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
        logger.warn(
          { blockId: event.blockId, reason: error instanceof Error ? error.name : 'unknown' },
          'predictions not told to subscribers',
        ),
      );
    }),
  ];

  return {
    get size() {
      return followers.size;
    },
    follow(organizationId, patientId) {
      const backlog: string[] = [];
      let waiting: (() => void) | undefined;
      let closed = false;
      const wake = (): void => {
        waiting?.();
        waiting = undefined;
      };
      const follower: Follower = {
        organizationId,
        patientId,
        push(id) {
          if (backlog.length <= largestBacklog) backlog.push(id);
          wake();
        },
        close() {
          closed = true;
          followers.delete(follower);
          wake();
        },
      };
      followers.add(follower);
      const done = { done: true, value: undefined } as const;
      return {
        async next() {
          while (backlog.length === 0 && !closed) await new Promise<void>((resolve) => (waiting = resolve));
          if (backlog.length > largestBacklog) {
            follower.close();
            throw new ServiceUnavailableError(
              'This subscription is too far behind: read predictions(filter: { createdAfter }) and subscribe again.',
            );
          }
          const value = closed ? undefined : backlog.shift();
          return value === undefined ? done : { done: false, value };
        },
        async return() {
          follower.close();
          return done;
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    close() {
      stopListening.forEach((stop) => stop());
      followers.forEach((follower) => follower.close());
    },
  };
}

/** One event: the prediction, or why it could not be read. */
export type StreamedPrediction = { readonly prediction: Prediction } | { readonly error: unknown };

/**
 * Reads each prediction that a stream names. One that is gone, or not for this viewer, is left out; one that cannot be
 * read is an event of its own, so that the stream goes on.
 * @param read null for a prediction that is to be left out
 */
export function readEach(
  ids: AsyncIterableIterator<string>,
  read: (id: string) => Promise<Prediction | null>,
): AsyncIterableIterator<StreamedPrediction> {
  return {
    async next() {
      for (;;) {
        const id = await ids.next();
        if (id.done) return id;
        try {
          const prediction = await read(id.value);
          if (prediction) return { done: false, value: { prediction } };
        } catch (error) {
          return { done: false, value: { error } };
        }
      }
    },
    // Ends a `next` that is still waiting, which a generator would hold back until the next event.
    async return() {
      await ids.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
