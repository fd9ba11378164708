import { renewalDelay, type Credential } from '../../src/client/credential.js';
import { ConnectionError, unauthenticated } from '../../src/client/errors.js';
import { ProviderSessionError } from './provider-session-error.js';
import { SignOutError } from './sign-out-error.js';
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
  /**
   * Ends the session on this page at once, and then on the server. It never throws.
   * @param reason shown at the next sign-in, when the viewer did not ask for the end
   */
  signOut(reason?: Error): Promise<void>;
  /**
   * Calls back when the session has ended, here or in another tab. It calls again when the server has
   * not ended it (SignOutError), or the identity provider has not (ProviderSessionError).
   */
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
  let ends = 0;
  /** The end of the last session on the server. The next sign-in waits for it, as both change the same cookie. */
  let ending: Promise<void> | undefined;

  const tell = (reason?: Error): void => listeners.forEach((listener) => listener(reason));
  function end(reason?: Error): void {
    source = cookieSource;
    ends += 1;
    if (!held) return;
    held = undefined;
    tell(reason);
  }
  channel.onmessage = () => end();

  async function endAt(used: TokenSource, reason: Error | undefined): Promise<void> {
    // A renewal that is on its way would bring the cookie back.
    if (used === cookieSource) await renewing?.catch(() => undefined);
    try {
      await used.end(reason === undefined);
    } catch (error) {
      // With a reason it was the server that ended the session: there is no more to tell.
      if (!reason) tell(error instanceof ProviderSessionError ? error : new SignOutError(error as Error));
    }
  }

  const hold = (token: string): void => void (held = { token, renewAt: Date.now() + renewalDelay(token) });
  async function renew(): Promise<boolean> {
    const begun = ends;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const token = await source.renew();
        if (begun !== ends) return false;
        if (token === undefined) end(isOver());
        else hold(token);
        return token !== undefined;
      } catch (error) {
        if (!(error instanceof ConnectionError) || attempt === renewalAttempts || begun !== ends) throw error;
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
      await ending;
      hold(await cookieSource.begin(input));
    },
    adopt(token, provider) {
      source = provider;
      hold(token);
    },
    async signOut(reason) {
      if (!held) return;
      ending = endAt(source, reason);
      channel.postMessage('ended');
      end(reason);
      await ending;
    },
    onEnd: (listener) => void listeners.add(listener),
  };
}

const isOver = (): Error => unauthenticated('The session has ended: sign in again.');
