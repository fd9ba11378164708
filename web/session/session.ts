import { renewalDelay, type Credential } from '../../src/client/credential.js';
import { ConnectionError, unauthenticated, type ResponseError } from '../../src/client/errors.js';
import { RefusedError } from './refused-error.js';

/** The access token of this page, and when it is renewed. It lives in memory alone. */
interface Held {
  readonly token: string;
  /** Time of this device's clock, milliseconds since 1970. */
  readonly renewAt: number;
}

/** What a password sign-in asks for. */
export interface PasswordInput {
  readonly organization: string;
  readonly username: string;
  readonly password: string;
}

/**
 * The session of the viewer. The refresh token is in a cookie that no script can read, so a reload continues the
 * session. Tabs share it: one signs out, and all do.
 */
export interface Session extends Credential {
  /** Continues the session of the cookie. @returns false when there is none @throws ConnectionError */
  resume(): Promise<boolean>;
  /** @throws RefusedError with the API's own words; ConnectionError */
  signIn(input: PasswordInput): Promise<void>;
  signOut(): Promise<void>;
  /** Calls back when the session has ended, here or in another tab. */
  onEnd(listener: () => void): void;
}

/** A refresh whose answer was lost is repeated: the server gives the same answer for ten seconds. */
const refreshAttempts = 4;
const repeatAfterMs = 400;

export function createSession(): Session {
  const channel = new BroadcastChannel('riskgraph-session');
  const listeners = new Set<() => void>();
  let held: Held | undefined;
  let refreshing: Promise<boolean> | undefined;

  function end(): void {
    if (!held) return;
    held = undefined;
    for (const listener of listeners) listener();
  }
  channel.onmessage = end;

  async function take(response: Response): Promise<boolean> {
    if (response.status === 204) {
      end();
      return false;
    }
    const answer = (await response.json()) as { readonly accessToken?: string; readonly errors?: ResponseError[] };
    if (answer.errors) throw new RefusedError(answer.errors);
    const token = answer.accessToken!;
    held = { token, renewAt: Date.now() + renewalDelay(token) };
    return true;
  }
  async function refresh(): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await take(await send('POST', '/session/refresh'));
      } catch (error) {
        if (!(error instanceof ConnectionError) || attempt === refreshAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * repeatAfterMs));
      }
    }
  }
  const refreshOnce = (): Promise<boolean> => (refreshing ??= refresh().finally(() => (refreshing = undefined)));

  return {
    async token(refused) {
      if (!held) throw unauthenticated('The session has ended: sign in again.');
      if (held.token !== refused && Date.now() < held.renewAt) return held.token;
      if (!(await refreshOnce())) throw unauthenticated('The session has ended: sign in again.');
      return held.token;
    },
    async renewInMs() {
      return held && Math.max(held.renewAt - Date.now(), 500);
    },
    resume: refreshOnce,
    async signIn(input) {
      await take(await send('POST', '/session', input));
    },
    async signOut() {
      await send('DELETE', '/session').catch(() => undefined);
      channel.postMessage('ended');
      end();
    },
    onEnd: (listener) => void listeners.add(listener),
  };
}

/** @throws ConnectionError when nothing answers */
async function send(method: string, path: string, body?: object): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: { 'x-riskgraph-console': '1', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ConnectionError('RiskGraph does not answer: check the network.', undefined, { cause });
  }
}
