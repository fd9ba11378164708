import {
  GraphQLError,
  getOperationAST,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { makeServer, type ServerOptions } from 'graphql-ws';
import { randomUUID } from 'node:crypto';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, RateLimitedError } from '../errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import { recordDenials } from './denials.js';
import type { ErrorFormatter } from './error-format.js';
import { createOperationContext, identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import { callerName, type Operations } from './operations.js';
import type { PlaceRefusal, Places } from './places.js';
import type { RequestLimiter } from './rate-limits.js';
import { answerPing, holdCredential, unidentified, type SocketCredential } from './socket-credential.js';
import { createUnread } from './socket-limits.js';
import { carrySocket, type SocketExtra } from './socket-transport.js';
import { anonymousSocketMs, connectionInitMs, type SubscriptionCaps } from './subscription-caps.js';
import { createSubscribe, type AdmittedSubscription } from './subscription-events.js';
import { closeCodes } from './close-codes.js';
import type { OpenedSocket } from './upgrades.js';
import { createWrittenEvents } from './written-events.js';

interface SocketState extends SocketExtra {
  credential?: SocketCredential;
  /** Closes the socket of an anonymous caller after a short time. */
  patience?: NodeJS.Timeout;
}

/** The checks that a subscription must pass before it begins, and the limits of its events. */
interface SubscriptionAdmission {
  readonly documents: AdmittedDocuments;
  readonly limiter: RequestLimiter | undefined;
  readonly places: Places;
  readonly caps: SubscriptionCaps | undefined;
  readonly operations: Operations;
  /** Longest time of one event, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Serves subscriptions over `graphql-transport-ws`, and nothing else. Queries and mutations belong to HTTP, where the
 * protections of Apollo Server apply. The life of a socket:
 *
 * 1. `onConnect` identifies the caller, moves the socket to the places of its user (places.ts), and watches the
 *    credential (socket-credential.ts). A socket of an anonymous caller is closed after a few seconds.
 * 2. `onPing` renews the credential when a ping brings a new one.
 * 3. `onSubscribe` takes a place under the caps and counts the request. It then admits the document, checks its cost
 *    and builds the context. A refusal gives the place back.
 * 4. `subscribe` runs each event within the limits of an operation (subscription-events.ts).
 * 5. `onNext` and `onError` turn errors into those of the contract, and record refused actions.
 * 6. `onComplete` and `onClose` give back the places, and stop watching the credential.
 */
export function createSocketHandler(
  schema: GraphQLSchema,
  sources: ContextSources,
  formatError: ErrorFormatter,
  { documents, limiter, places, caps, operations, timeoutMs }: SubscriptionAdmission,
) {
  const format = async (
    errors: readonly GraphQLError[],
    viewer: Viewer | null | undefined,
  ): Promise<GraphQLFormattedError[]> => {
    const unwrapped = errors.map(unwrap);
    await recordDenials(sources.app.audit, viewer ?? null, unwrapped);
    return unwrapped.map(formatError);
  };

  const written = createWrittenEvents();
  const subscribe = createSubscribe({ operations, limiter, written, timeoutMs });
  const options: ServerOptions<Record<string, unknown>, SocketState> = {
    schema,
    // It gets what `onSubscribe` returns.
    subscribe: (subscription) => subscribe(subscription as AdmittedSubscription),
    connectionInitWaitTimeout: connectionInitMs,
    async onConnect({ connectionParams, extra }) {
      const { requestId, address, socket } = extra;
      const caller = await identifyCaller(
        sources.app,
        connectionParams?.authorization ?? connectionParams?.Authorization,
        { requestId, address },
      );
      if (caller.authenticationError) return unidentified(socket, caller.authenticationError);
      if (caller.viewer && (await isTooOften(limiter, caller, address))) {
        socket.close(closeCodes.tryAgainLater, 'Too many requests: try again in a minute');
        return false;
      }
      // The socket may have closed meanwhile. Its onClose has then run already, and could not release the credential.
      if (socket.readyState !== socket.OPEN) return false;
      const noPlace = caller.viewer && places.prove(extra.place, caller.viewer);
      if (noPlace) {
        socket.close(closeCodes.tryAgainLater, tooManySockets[noPlace]);
        return false;
      }
      extra.isProven = caller.viewer !== null;
      extra.credential = holdCredential(sources.app, socket, caller);
      if (!caller.viewer)
        extra.patience = setTimeout(
          () => socket.close(closeCodes.unauthorized, 'Unauthorized: connect with an access token'),
          anonymousSocketMs,
        );
      return true;
    },
    async onPing({ extra }, payload) {
      const { socket, address, credential } = extra;
      // A ping may bring a credential, which costs a look-up.
      const caller = credential?.callerOf(extra.requestId) ?? { viewer: null };
      if (payload && 'authorization' in payload && (await refuses(limiter?.count(caller, address))))
        return socket.close(closeCodes.tryAgainLater, 'Too many requests: try again in a minute');
      await answerPing(socket, credential, payload);
    },
    async onSubscribe({ extra }, _id, payload) {
      const requestId = randomUUID();
      const caller = extra.credential!.callerOf(requestId);
      try {
        caps?.begin(extra.socket, callerName(caller), payload);
        await limiter?.count(caller, extra.address);
        const document = documents.admit(payload) ?? [
          new BadUserInputError([{ path: 'query', message: 'is missing' }]),
        ];
        if (!isDocument(document)) throw document;
        if (getOperationAST(document, payload.operationName)?.operation !== 'subscription') {
          throw new GraphQLError(
            'Only subscriptions are served over the WebSocket: send queries and mutations with POST /graphql.',
            { extensions: { code: 'BAD_REQUEST' } },
          );
        }
        const cost = documents.checkCost(document, payload.operationName, payload.variables);
        const contextValue = createOperationContext(sources, caller, requestId);
        return {
          schema,
          document,
          variableValues: payload.variables ?? undefined,
          operationName: payload.operationName,
          contextValue,
          cost,
        } satisfies ExecutionArgs & AdmittedSubscription;
      } catch (thrown) {
        caps?.close(payload);
        return ((Array.isArray(thrown) ? thrown : [thrown]) as Error[]).map(asGraphqlError);
      }
    },
    onOperation(_context, _id, _payload, _args, result) {
      // A refused subscription is answered with a message of type error, not with an event that contains errors.
      if (Symbol.asyncIterator in result || !('errors' in result) || !result.errors) return result;
      const [error] = result.errors;
      return (async function* refused() {
        yield* [];
        throw error;
      })();
    },
    async onNext(_context, _id, _payload, { contextValue }, { errors, data, ...result }) {
      const standIn = written.standIn(data);
      if (!errors && !standIn) return undefined;
      const formatted = errors && (await format(errors, (contextValue as Caller).viewer));
      return { ...result, ...(formatted && { errors: formatted }), data: standIn ?? data };
    },
    onError({ extra }, _id, payload, errors) {
      caps?.close(payload);
      return format(errors, extra.credential?.callerOf(randomUUID()).viewer);
    },
    onComplete: (_context, _id, payload) => caps?.close(payload),
    onClose({ extra }) {
      caps?.closeAll(extra.socket);
      clearTimeout(extra.patience);
      extra.credential?.release();
    },
  };
  const server = makeServer(options);
  const unread = createUnread();
  return (opened: OpenedSocket): void => carrySocket(server, opened, { unread, written, logger: sources.app.logger });
}

/**
 * Removes the second wrapping that graphql-ws gives to an error of a stream, under the same message. The wrapping of
 * graphql-js stays. It has a path when a field failed, or another message when it says more than the cause.
 */
function unwrap(error: GraphQLError): GraphQLError {
  const { originalError, path } = error;
  return path === undefined && originalError instanceof GraphQLError && originalError.message === error.message
    ? unwrap(originalError)
    : error;
}

/** Moves the count of a socket from its address to its user. @returns true when the user has made too many requests */
const isTooOften = (limiter: RequestLimiter | undefined, caller: Caller, address: string): Promise<boolean> =>
  refuses(limiter?.recount(caller, address));

/** Waits until a request is counted. @returns true when it is one too many */
async function refuses(counted: Promise<void> | undefined): Promise<boolean> {
  try {
    await counted;
    return false;
  } catch (error) {
    if (error instanceof RateLimitedError) return true;
    throw error;
  }
}

/** Reasons why a socket gets no place. */
const tooManySockets: Readonly<Record<PlaceRefusal, string>> = {
  user: 'Too many sockets of this user: close some, or try again in a moment',
  organization: 'Too many sockets of this organization: close some, or try again in a moment',
  process: 'This server has no place for another socket: connect again in a moment',
};

const isDocument = (admitted: DocumentNode | readonly Error[]): admitted is DocumentNode => !Array.isArray(admitted);

const asGraphqlError = (error: Error): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });
