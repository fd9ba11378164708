import { renewalDelay, type Credential } from '../../src/client/credential.js';
import { ConnectionError, unauthenticated } from '../../src/client/errors.js';
import { cookieSource, type PasswordInput, type TokenSource } from './token-source.js';

/** The access token of this page, and when it is renewed. It lives in memory alone. */
interface Held {
  readonly token: string;
  /** Time of this device's clock, milliseconds since 1970. */
  readonly renewAt: number;
}

/**
 * The session of the viewer. A reload continues it. Tabs share it: one signs out, and all do.
 */
export interface Session extends Credential {
  /** Continues the session of the cookie. @returns false when there is none @throws ConnectionError */
  resume(): Promise<boolean>;
  /** @throws RefusedError with the API's own words; ConnectionError */
  signIn(input: PasswordInput): Promise<void>;
  /** Takes up a sign-in with an identity provider. */
  adopt(token: string, source: TokenSource): void;
  /** @param reason shown at the next sign-in, when the viewer did not ask for the end */
  signOut(reason?: Error): Promise<void>;
  /** Calls back when the session has ended, here or in another tab. */
  onEnd(listener: (reason?: Error) => void): void;
}

/** A renewal whose answer was lost is repeated: the server gives the same answer for ten seconds. */
const renewalAttempts = 4;
const repeatAfterMs = 400;

export function createSession(): Session {
  const channel = new BroadcastChannel('riskgraph-session');
  const listeners = new Set<(reason?: Error) => void>();
  let source: TokenSource = cookieSource;
  let held: Held | undefined;
  let renewing: Promise<boolean> | undefined;

  function end(reason?: Error): void {
    source = cookieSource;
    if (!held) return;
    held = undefined;
    for (const listener of listeners) listener(reason);
  }
  channel.onmessage = () => end();

  const hold = (token: string): void => void (held = { token, renewAt: Date.now() + renewalDelay(token) });
  async function renew(): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const token = await source.renew();
        if (token === undefined) end(isOver());
        else hold(token);
        return token !== undefined;
      } catch (error) {
        if (!(error instanceof ConnectionError) || attempt === renewalAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * repeatAfterMs));
      }
    }
  }
  const renewOnce = (): Promise<boolean> => (renewing ??= renew().finally(() => (renewing = undefined)));

  return {
    async token(refused) {
      if (!held) throw isOver();
      // A provider would only give another token that is refused too.
      const isFinal = held.token === refused && source !== cookieSource;
      if ((held.token !== refused || isFinal) && Date.now() < held.renewAt) return held.token;
      if (!(await renewOnce())) throw isOver();
      return held.token;
    },
    async renewInMs() {
      return held && Math.max(held.renewAt - Date.now(), 500);
    },
    resume: renewOnce,
    async signIn(input) {
      hold(await cookieSource.begin(input));
    },
    adopt(token, provider) {
      source = provider;
      hold(token);
    },
    async signOut(reason) {
      if (!held) return;
      await source.end();
      channel.postMessage('ended');
      end(reason);
    },
    onEnd: (listener) => void listeners.add(listener),
  };
}

const isOver = (): Error => unauthenticated('The session has ended: sign in again.');
