import type { GraphQLSchema } from 'graphql';
import { makeServer, MessageType, stringifyMessage, type ServerOptions } from 'graphql-ws';
import { randomUUID } from 'node:crypto';
import { RateLimitedError } from '../errors.js';
import { identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import type { PlaceRefusal, Places } from './places.js';
import type { RequestLimiter } from './rate-limits.js';
import { answerPing, holdCredential, unidentified, type SocketCredential } from './socket-credential.js';
import type { Unread } from './socket-limits.js';
import { carrySocket, type SocketExtra } from './socket-transport.js';
import { refusalsOf, type SubscriptionAdmission } from './subscription-admission.js';
import { anonymousSocketMs, connectionInitMs, type SubscriptionCaps } from './subscription-caps.js';
import type { AdmittedSubscription, Subscribe } from './subscription-events.js';
import { closeCodes } from './close-codes.js';
import type { OpenedSocket } from './upgrades.js';
import type { WrittenEvents } from './written-events.js';

interface SocketState extends SocketExtra {
  credential?: SocketCredential;
  /** Closes the socket of an anonymous caller after a short time. */
  patience?: NodeJS.Timeout;
}

/** The parts of the server that a socket handler works with. */
interface SocketDependencies {
  readonly admission: SubscriptionAdmission;
  /** Runs the events of a subscription. */
  readonly subscribe: Subscribe;
  /** The events that it has written already. */
  readonly written: WrittenEvents;
  readonly limiter: RequestLimiter | undefined;
  readonly places: Places;
  readonly caps: SubscriptionCaps | undefined;
  /** Counts the bytes that wait for clients to read them. */
  readonly unread: Unread;
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
 * 4. `onOperation` sends the cursor at which a subscription began, in a ping, if it has cursors.
 * 5. `subscribe` runs each event within the limits of an operation (subscription-events.ts).
 * 6. `onNext` and `onError` turn errors into those of the contract, and record refused actions.
 * 7. `onComplete` and `onClose` give back the places, and stop watching the credential.
 */
export function createSocketHandler(
  schema: GraphQLSchema,
  sources: ContextSources,
  { admission, subscribe, written, limiter, places, caps, unread }: SocketDependencies,
) {
  /** The callers of subscriptions, by the message that began each. Each subscription is a request of its own. */
  const callers = new WeakMap<object, Caller>();
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
      extra.credential = holdCredential(sources.app, caller, {
        isOpen: () => socket.readyState === socket.OPEN,
        end: (reason) => socket.close(closeCodes.forbidden, `Forbidden: ${reason}`),
      });
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
      callers.set(payload, caller);
      try {
        const wanted = { caller, requestId, connection: extra.socket, payload };
        return await admission.admit(wanted, () => limiter?.count(caller, extra.address));
      } catch (thrown) {
        return refusalsOf(thrown);
      } finally {
        // The payload names the subscription until its end. What it holds is not needed any more.
        Object.assign(payload, { query: '', variables: undefined, extensions: undefined });
      }
    },
    async onOperation({ extra }, id, _payload, { contextValue }, result) {
      const { startCursor: after } = contextValue as { readonly startCursor?: string };
      // The protocol has no other message in which a client can learn where its subscription began.
      if (Symbol.asyncIterator in result && after !== undefined)
        await extra.sendMessage(stringifyMessage({ type: MessageType.Ping, payload: { id, after } }));
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
      const formatted = errors && (await admission.format(errors, contextValue as Caller));
      return { ...result, ...(formatted && { errors: formatted }), data: standIn ?? data };
    },
    onError({ extra }, _id, payload, errors) {
      caps?.close(payload);
      return admission.format(errors, callers.get(payload) ?? extra.credential!.callerOf(randomUUID()));
    },
    onComplete: (_context, _id, payload) => caps?.close(payload),
    onClose({ extra }) {
      caps?.closeAll(extra.socket);
      clearTimeout(extra.patience);
      extra.credential?.release();
    },
  };
  const server = makeServer(options);
  return (opened: OpenedSocket): void => carrySocket(server, opened, { unread, written, logger: sources.app.logger });
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
