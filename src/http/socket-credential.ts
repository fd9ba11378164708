import type { WebSocket } from 'ws';
import type { App } from '../app.js';
import type { Viewer } from '../auth/viewer.js';
import { ServiceUnavailableError, type RiskGraphError } from '../errors.js';
import { identifyCaller, type Caller } from './operation-context.js';
import { closeCodes } from './close-codes.js';

/** The longest time that setTimeout takes, about 25 days. */
const longestTimeoutMs = 2 ** 31 - 1;

/** A connection that ends with its credential: a WebSocket, or a stream of events. */
interface CredentialHolder {
  isOpen(): boolean;
  /** Ends the connection, and says why. */
  end(reason: string): void;
}

/** The credential of a connection: its caller, and the time when it ends. */
export interface SocketCredential {
  /** Returns the caller for an operation that begins now. */
  callerOf(requestId: string): Caller;
  /**
   * Answers a ping. A payload with an `authorization` replaces the credential, and so extends everything that runs on
   * the socket. The new credential must belong to the same user with the same rights; else the socket is closed with
   * 4403. Never throws.
   * @param payload is changed to `{ expiresAt }`: graphql-ws sends it back as the payload of the pong
   */
  renew(payload: Record<string, unknown> | undefined): Promise<void>;
  /** Stops watching. */
  release(): void;
}

/**
 * Refuses a socket whose credential is not accepted.
 * @returns false, which tells graphql-ws's onConnect to close the socket with 4403, unless it was closed here already
 */
export function unidentified(socket: WebSocket, error: RiskGraphError): false {
  if (error instanceof ServiceUnavailableError)
    socket.close(closeCodes.tryAgainLater, 'Try again later: the credential cannot be verified now');
  return false;
}

/** Answers a ping. Closes the socket when a ping brings a credential before connection_init: there is none to renew. */
export async function answerPing(
  socket: WebSocket,
  credential: SocketCredential | undefined,
  payload: Record<string, unknown> | undefined,
): Promise<void> {
  if (credential) return credential.renew(payload);
  if (payload && 'authorization' in payload)
    socket.close(closeCodes.forbidden, 'Forbidden: send connection_init first');
}

/** Watches a connection: ends it when its latest credential expires or is revoked. */
export function holdCredential(
  app: Pick<App, 'identity'>,
  connected: Caller,
  holder: CredentialHolder,
): SocketCredential {
  let caller = connected;
  let expiry: NodeJS.Timeout | undefined;
  const stopWatching = app.identity.revocations.onChange(endIfRevoked);

  function end(reason: string): void {
    release();
    holder.end(reason);
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
    callerOf(requestId) {
      const origin = { ...caller.origin, requestId, lasting: true };
      return { ...caller, origin, viewer: caller.viewer && { ...caller.viewer, origin } };
    },

    async renew(payload) {
      if (!payload || !('authorization' in payload)) return;
      const { authorization } = payload;
      // A pong must never contain a credential, whatever the result of the renewal is.
      for (const name of Object.keys(payload)) delete payload[name];
      const fresh = await identifyCaller(app, authorization, caller.origin).catch(() => undefined);
      // A credential that cannot be verified now changes nothing. The client sees by expiresAt that the old one still
      // counts.
      const unknown = fresh === undefined || fresh.authenticationError instanceof ServiceUnavailableError;
      if (!unknown) {
        if (!fresh.viewer || !caller.viewer || !hasSameRights(fresh.viewer, caller.viewer))
          return end('the new credential is not valid for this socket');
        if (!holder.isOpen()) return;
        caller = fresh;
        watch();
        endIfRevoked();
      }
      if (caller.viewer) payload.expiresAt = new Date(caller.viewer.expiresAt).toISOString();
    },

    release,
  };
}

/** Compares the rights of two viewers. Running subscriptions keep the rights with which they began. */
function hasSameRights(a: Viewer, b: Viewer): boolean {
  return (
    a.organizationId === b.organizationId &&
    a.username === b.username &&
    a.role === b.role &&
    String(a.scopes) === String(b.scopes)
  );
}
