import { renewalDelay, type Credential } from './credential.js';
import { GraphqlRequestError, unauthenticated } from './errors.js';
import {
  LoginDocument,
  LogoutDocument,
  RefreshDocument,
  type LoginInput,
  type SessionFieldsFragment,
} from './generated/graphql.js';
import { read, send, type Fetch } from './post.js';
import { apiUrl } from './url.js';
import { wait } from './wait.js';

/** The tokens of a login, as a store keeps them. */
export interface StoredSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Time of this device's clock at which the access token is renewed, milliseconds since 1970. */
  readonly renewAt: number;
}

/** A place for the tokens. Tabs that share one store share one session. */
export interface SessionStore {
  load(): StoredSession | undefined | Promise<StoredSession | undefined>;
  /** Undefined removes the session: it has ended, and the user must log in again. */
  save(session: StoredSession | undefined): void | Promise<void>;
}

/** A login of one user, which renews its access token in time. */
export interface Session extends Credential {
  /** @throws GraphqlRequestError INVALID_CREDENTIALS or RATE_LIMITED */
  login(input: LoginInput): Promise<SessionFieldsFragment['viewer']>;
  /** Ends the session everywhere. */
  logout(): Promise<void>;
}

/** The locks of a browser, and of Node.js from version 24. https://developer.mozilla.org/en-US/docs/Web/API/LockManager */
interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** A refresh token that is sent again within ten seconds gives the same answer. So a lost answer is asked for again. */
const refreshAttempts = 4;

/**
 * Keeps the session of a user. One caller at a time refreshes: of all tabs where the browser has locks, else of this
 * page. The others take the token that it stored.
 * @param options.store where the tokens are kept
 * @defaultValue options.store the memory of this page: a reload logs the user out
 */
export function createSession(options: {
  readonly url: string;
  readonly store?: SessionStore;
  readonly fetch?: Fetch;
}): Session {
  const { store = memoryStore() } = options;
  const url = apiUrl(options.url);
  const posting = { url, fetch: options.fetch ?? fetch };
  let refreshing: Promise<string> | undefined;

  async function post<T>(document: { toString(): string }, input: object): Promise<T> {
    const result = await read<T>(await send(posting, { query: document.toString(), variables: { input } }));
    if (result.errors) throw new GraphqlRequestError(result.errors, result.data);
    return result.data!;
  }
  async function keep({ accessToken, refreshToken }: SessionFieldsFragment): Promise<string> {
    await store.save({ accessToken, refreshToken, renewAt: Date.now() + renewalDelay(accessToken) });
    return accessToken;
  }
  const isFresh = ({ accessToken, renewAt }: StoredSession, refused?: string): boolean =>
    accessToken !== refused && Date.now() < renewAt;

  /** Refreshes, unless another tab has done so meanwhile. */
  async function refresh(refused?: string): Promise<string> {
    const stored = await store.load();
    if (!stored) throw unauthenticated('The session has ended: log in again.');
    if (isFresh(stored, refused)) return stored.accessToken;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await keep(
          (await post<{ refresh: SessionFieldsFragment }>(RefreshDocument, { refreshToken: stored.refreshToken }))
            .refresh,
        );
      } catch (error) {
        const refusedNow = error instanceof GraphqlRequestError;
        if (refusedNow && error.code === 'UNAUTHENTICATED') await store.save(undefined);
        if (refusedNow || attempt === refreshAttempts) throw error;
        await wait(attempt * 300);
      }
    }
  }
  function refreshOnce(refused?: string): Promise<string> {
    const { locks } = ((globalThis as { navigator?: { locks?: Locks } }).navigator ?? {}) as { locks?: Locks };
    const work = () => refresh(refused);
    return (refreshing ??= (locks ? locks.request(`riskgraph ${url}`, work) : work()).finally(
      () => (refreshing = undefined),
    ));
  }

  return {
    async token(refused) {
      const stored = await store.load();
      return stored && (isFresh(stored, refused) ? stored.accessToken : refreshOnce(refused));
    },
    async renewInMs() {
      const stored = await store.load();
      return stored && Math.max(stored.renewAt - Date.now(), 500);
    },
    async login(input) {
      const { login } = await post<{ login: SessionFieldsFragment }>(LoginDocument, input);
      await keep(login);
      return login.viewer;
    },
    async logout() {
      const stored = await store.load();
      await store.save(undefined);
      if (stored) await post(LogoutDocument, { refreshToken: stored.refreshToken });
    },
  };
}

/** Keeps a session in memory. */
export function memoryStore(): SessionStore {
  let session: StoredSession | undefined;
  return { load: () => session, save: (saved) => void (session = saved) };
}

/** The parts of `localStorage` and `sessionStorage` that a store needs. */
interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Keeps a session in the storage of a browser. All tabs of the page share `localStorage`. */
export function webStore(storage: WebStorage, key = 'riskgraph'): SessionStore {
  return {
    load: () => (JSON.parse(storage.getItem(key) ?? 'null') as StoredSession | null) ?? undefined,
    save: (session) => (session ? storage.setItem(key, JSON.stringify(session)) : storage.removeItem(key)),
  };
}
