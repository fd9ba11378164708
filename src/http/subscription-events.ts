import {
  createSourceEventStream,
  getOperationAST,
  GraphQLError,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { ServiceUnavailableError } from '../errors.js';
import { eventText } from './answer-text.js';
import type { createOperationContext } from './operation-context.js';
import { timeoutError } from './operation-timeout.js';
import type { Metrics } from '../process/metrics.js';
import type { Tracing } from '../process/tracing.js';
import type { Execute } from './prepared/prepared-operations.js';
import { operationLabel } from './observe-operations.js';
import type { Operation, Operations } from './operations.js';
import type { RequestLimiter } from './rate-limits.js';
import type { WrittenEvents } from './written-events.js';

/** A subscription that was admitted. */
export interface AdmittedSubscription {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variableValues: ExecutionArgs['variableValues'];
  readonly contextValue: ReturnType<typeof createOperationContext>;
  /** Cost of each of its events. */
  readonly cost: number;
}

interface EventDependencies {
  readonly execute: Execute;
  readonly operations: Operations;
  readonly limiter: RequestLimiter | undefined;
  /** Gets the text of each large event, so that it is written once. */
  readonly written: WrittenEvents;
  readonly metrics: Pick<Metrics, 'subscriptionEvents' | 'foldedEvents'>;
  readonly tracing: Pick<Tracing, 'continued'>;
  /** Longest time of one event, milliseconds. */
  readonly timeoutMs: number;
  /** Whether each event says what it costs, as answers do. */
  readonly tellCost: boolean;
}

/** Runs a subscription: gives the stream of its events, or the errors for which it does not begin. */
export type Subscribe = (
  subscription: AdmittedSubscription,
) => Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void>>;

/** The objects that events tell of, for the transports that show their ids. */
const subjects = new WeakMap<ExecutionResult, object>();

/**
 * The id with which a client resumes behind an event: the sequence number of a change, or the cursor of a prediction.
 * Undefined when the subscription cannot resume.
 */
export function eventIdOf(event: ExecutionResult): string | undefined {
  const { sequence, collapsed, cursor } = (subjects.get(event) ?? {}) as {
    readonly sequence?: number;
    readonly collapsed?: number;
    readonly cursor?: string;
  };
  return sequence !== undefined && collapsed !== undefined ? String(sequence) : cursor;
}

/**
 * Creates a `subscribe` that does what the one of graphql-js does, and treats each event as an operation of its own:
 * 1. Its cost is charged to the user's budget. A subscription ends when its user has none left.
 * 2. It waits until the operations under way of its user leave room for it.
 * 3. It is executed, gives way to others, and is broken off when it takes too long or gets too large. The subscriber
 *    then gets the reason as the event, and the subscription goes on.
 */
export function createSubscribe(dependencies: EventDependencies): Subscribe {
  const { execute, operations, limiter, written, metrics, tracing, timeoutMs, tellCost } = dependencies;

  async function answerTo(
    event: unknown,
    { cost, ...subscription }: AdmittedSubscription,
    operation: Operation,
  ): Promise<ExecutionResult> {
    const { contextValue } = subscription;
    await limiter?.charge(contextValue, contextValue.origin.address, cost);
    const timer = setTimeout(() => operation.breakOff(timeoutError(timeoutMs)), timeoutMs);
    try {
      await operation.startWhenFree(cost);
      contextValue.operation = operation;
      const result = await execute({ ...subscription, rootValue: event });
      operation.check();
      const { data } = result;
      const text = data ? await eventText(data, operation) : undefined;
      if (data && text !== undefined) written.keep(data, text);
      return result;
    } catch (error) {
      if (error !== operation.reason) throw error;
      return { errors: [new GraphQLError((error as Error).message, { originalError: error as Error })] };
    } finally {
      clearTimeout(timer);
      operation.end();
    }
  }

  return async (subscription) => {
    const source = await createSourceEventStream(subscription);
    if (!(Symbol.asyncIterator in source)) return source;
    const events = source[Symbol.asyncIterator]();
    const operation = getOperationAST(subscription.document, subscription.operationName);
    const field = operation ? operationLabel(operation, false) : 'several';
    let current: Operation | undefined;
    // A generator would delay `return` until the next event.
    const stream: AsyncGenerator<ExecutionResult, void> = {
      async next() {
        const event = await events.next();
        if (event.done) return { done: true, value: undefined };
        current = operations.prepare(subscription.contextValue, 'event');
        try {
          const { traceparent } = (event.value as { readonly job?: { readonly traceparent?: string } }).job ?? {};
          const prepared = current;
          const answer = await tracing.continued(`event ${field}`, traceparent, {}, () =>
            answerTo(event.value, subscription, prepared),
          );
          const value = tellCost ? { ...answer, extensions: { cost: subscription.cost } } : answer;
          subjects.set(value, event.value as object);
          const { collapsed } = event.value as { readonly collapsed?: number };
          metrics.subscriptionEvents.inc({ field });
          if (collapsed) metrics.foldedEvents.inc({ field }, collapsed);
          return { done: false, value };
        } catch (error) {
          await events.return?.();
          throw error;
        }
      },
      async return() {
        current?.breakOff(subscriptionEnded);
        await events.return?.();
        return { done: true, value: undefined };
      },
      async throw(error) {
        await stream.return();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
    };
    return stream;
  };
}

const subscriptionEnded = new ServiceUnavailableError('The subscription has ended.');
