import type { WebSocket } from 'ws';
import type { App } from '../app.js';
import type { Viewer } from '../auth/viewer.js';
import { ServiceUnavailableError, type RiskGraphError } from '../errors.js';
import { identifyCaller, type Caller } from './operation-context.js';

/** Close code of a socket whose credential is not valid, or no longer. https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md */
const forbidden = 4403;
/** "Try again later": clients of graphql-ws come back by themselves. https://www.iana.org/assignments/websocket/websocket.xhtml */
const tryAgainLater = 1013;
/** setTimeout's own limit, about 25 days. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Whom a socket speaks for, and until when. */
export interface SocketCredential {
  /** The caller of an operation that begins now. */
  callerOf(requestId: string): Caller;
  /**
   * Answers a ping. One whose payload has an `authorization` replaces the credential, and with it the expiry of whatever
   * runs on the socket. It must speak for the same user with the same rights; else the socket is closed with 4403.
   * Never throws.
   * @param payload is changed: graphql-ws sends it back as the payload of the pong, which is to be `{ expiresAt }`
   */
  renew(payload: Record<string, unknown> | undefined): Promise<void>;
  /** Stops watching. */
  release(): void;
}

/**
 * Refuses a socket whose credential counts for nothing.
 * @returns what graphql-ws's onConnect takes for a no: it closes with 4403, unless that was done here with another code
 */
export function unidentified(socket: WebSocket, error: RiskGraphError): false {
  if (error instanceof ServiceUnavailableError)
    socket.close(tryAgainLater, 'Try again later: the credential cannot be verified now');
  return false;
}

/** Answers a ping; one with a credential on a socket that has none yet has nothing to renew. */
export async function answerPing(
  socket: WebSocket,
  credential: SocketCredential | undefined,
  payload: Record<string, unknown> | undefined,
): Promise<void> {
  if (credential) return credential.renew(payload);
  if (payload && 'authorization' in payload) socket.close(forbidden, 'Forbidden: send connection_init first');
}

/** Watches over a socket: closes it with 4403 when the credential it came with, or the last one it was given, ends or is revoked. */
export function holdCredential(app: Pick<App, 'identity'>, socket: WebSocket, connected: Caller): SocketCredential {
  let caller = connected;
  let expiry: NodeJS.Timeout | undefined;
  const stopWatching = app.identity.revocations.onChange(endIfRevoked);

  function end(reason: string): void {
    release();
    socket.close(forbidden, `Forbidden: ${reason}`);
  }
  function release(): void {
    clearTimeout(expiry);
    stopWatching();
  }
  function endIfRevoked(): void {
    if (caller.viewer && app.identity.revocations.isRevoked(caller.viewer)) end('this credential was revoked');
  }
  function watch(): void {
    clearTimeout(expiry);
    if (!caller.viewer) return;
    const remainingMs = caller.viewer.expiresAt - Date.now();
    if (remainingMs <= 0) end('the access token has expired');
    else expiry = setTimeout(watch, Math.min(remainingMs, longestTimeoutMs));
  }
  watch();
  endIfRevoked();

  return {
    callerOf: (requestId) => ({
      ...caller,
      origin: { ...caller.origin, requestId },
      viewer: caller.viewer && { ...caller.viewer, origin: { ...caller.origin, requestId } },
    }),

    async renew(payload) {
      if (!payload || !('authorization' in payload)) return;
      const { authorization } = payload;
      // A pong must never carry a credential, whatever becomes of this.
      for (const name of Object.keys(payload)) delete payload[name];
      const fresh = await identifyCaller(app, authorization, caller.origin).catch(() => undefined);
      // What cannot be verified now changes nothing: the client sees by expiresAt that the old credential stands.
      const unknown = fresh === undefined || fresh.authenticationError instanceof ServiceUnavailableError;
      if (!unknown) {
        if (!fresh.viewer || !caller.viewer || !hasSameRights(fresh.viewer, caller.viewer))
          return end('the fresh credential is not valid for this socket');
        if (socket.readyState !== socket.OPEN) return;
        caller = fresh;
        watch();
        endIfRevoked();
      }
      if (caller.viewer) payload.expiresAt = new Date(caller.viewer.expiresAt).toISOString();
    },

    release,
  };
}

/** Subscriptions that run keep the rights they began with; whoever has others now must begin them again. */
function hasSameRights(a: Viewer, b: Viewer): boolean {
  return (
    a.organizationId === b.organizationId &&
    a.username === b.username &&
    a.role === b.role &&
    String(a.scopes) === String(b.scopes)
  );
}
