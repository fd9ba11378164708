import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { ScoringJobUpdatedDocument, ViewerDocument } from '../../src/client/generated/graphql.js';
import { createClient, type GraphqlClient } from '../../src/client/graphql-client.js';
import { createSession, memoryStore, webStore, type Session, type SessionStore } from '../../src/client/session.js';
import { createUser, credentialOf } from '../support/identity.js';
import { changingJob } from '../support/changing-job.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

/** One tab of a browser. */
interface Tab {
  readonly session: Session;
  readonly client: GraphqlClient;
}

/** Opens tabs that share a store. `refreshes` counts the requests for another token. */
function openTabs(count: number, store: SessionStore): { tabs: Tab[]; refreshes: () => number } {
  let refreshes = 0;
  const counted: typeof fetch = (url, options) => {
    if (String(options?.body).includes('mutation Refresh')) refreshes += 1;
    return fetch(url, options);
  };
  const tabs = Array.from({ length: count }, () => {
    const session = createSession({ url: system.url, store, fetch: counted as never });
    const client = createClient({ url: system.url, session, webSocket: WebSocket, fetch: counted as never });
    onTestFinished(() => client.close());
    return { session, client };
  });
  return { tabs, refreshes: () => refreshes };
}
const viewerOf = async ({ client }: Tab): Promise<string> => (await client.request(ViewerDocument)).viewer.username;
/** Makes the session's token one that is to be renewed. */
async function age(store: SessionStore, changes: object = { renewAt: 0 }): Promise<void> {
  await store.save({ ...(await store.load())!, ...changes });
}

/** Gives this process the locks of a browser, as Node.js has them from version 24. */
function installLocks(): void {
  const tails = new Map<string, Promise<unknown>>();
  const locks = {
    request<T>(name: string, work: () => Promise<T>): Promise<T> {
      const done = (tails.get(name) ?? Promise.resolve()).then(work);
      tails.set(
        name,
        done.catch(() => undefined),
      );
      return done;
    },
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });
  onTestFinished(() => {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  });
}

test('a login keeps a session, and a logout ends it', async () => {
  const user = await createUser(system);
  const store = memoryStore();
  const [tab] = openTabs(1, store).tabs;
  await expect(tab!.session.login({ ...credentialOf(user), password: 'not the password' })).rejects.toMatchObject({
    code: 'INVALID_CREDENTIALS',
  });
  expect(await tab!.session.login(credentialOf(user))).toMatchObject({ username: user.username, role: 'CLINICIAN' });
  expect(await viewerOf(tab!)).toBe(user.username);
  await tab!.session.logout();
  expect(await store.load()).toBeUndefined();
  await expect(viewerOf(tab!)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('tabs of a browser refresh once for all of them, and for all of their requests', async () => {
  installLocks();
  const user = await createUser(system);
  const store = memoryStore();
  const { tabs, refreshes } = openTabs(3, store);
  await tabs[0]!.session.login(credentialOf(user));
  for (const round of [1, 2]) {
    await age(store);
    const viewers = await Promise.all(tabs.flatMap((tab) => Array.from({ length: 10 }, () => viewerOf(tab))));
    expect(new Set(viewers)).toEqual(new Set([user.username]));
    expect(refreshes()).toBe(round);
  }
});

test('without locks each tab refreshes once, and all of them stay logged in', async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true });
  onTestFinished(() => void (before && Object.defineProperty(globalThis, 'navigator', before)));
  const user = await createUser(system);
  const store = memoryStore();
  const { tabs, refreshes } = openTabs(2, store);
  await tabs[0]!.session.login(credentialOf(user));
  await age(store);
  await Promise.all(tabs.flatMap((tab) => [viewerOf(tab), viewerOf(tab)]));
  expect(refreshes()).toBeLessThanOrEqual(2);
  await age(store);
  expect(await Promise.all(tabs.map(viewerOf))).toEqual([user.username, user.username]);
});

test('a refresh whose answer is lost is asked for again, and the session goes on', async () => {
  const user = await createUser(system);
  const store = memoryStore();
  let lost = 0;
  const losing: typeof fetch = async (url, options) => {
    const response = await fetch(url, options);
    if (!String(options?.body).includes('mutation Refresh') || lost === 2) return response;
    lost += 1;
    throw new TypeError('the connection was cut');
  };
  const session = createSession({ url: system.url, store, fetch: losing as never });
  const client = createClient({ url: system.url, session, webSocket: WebSocket });
  onTestFinished(() => client.close());
  await session.login(credentialOf(user));
  await age(store);
  expect((await client.request(ViewerDocument)).viewer.username).toBe(user.username);
  expect(lost).toBe(2);
});

test('a token that the API refuses is replaced, for a request and for a subscription', async () => {
  const user = await createUser(system);
  const store = memoryStore();
  const { tabs, refreshes } = openTabs(1, store);
  await tabs[0]!.session.login(credentialOf(user));
  const ended = await system.token('CLINICIAN', 'alpha', -10);
  await age(store, { accessToken: ended });
  expect(await viewerOf(tabs[0]!)).toBe(user.username);
  await age(store, { accessToken: ended });
  const job = await changingJob(system);
  const events = tabs[0]!.client.subscribe(ScoringJobUpdatedDocument, { id: job.id });
  expect((await events.next()).value!.scoringJobUpdated.sequence).toBe(2);
  await events.return!();
  expect(refreshes()).toBe(2);
});

test('a session that was ended elsewhere is removed, and everything says UNAUTHENTICATED', async () => {
  const user = await createUser(system);
  const store = memoryStore();
  const { tabs } = openTabs(2, store);
  await tabs[0]!.session.login(credentialOf(user));
  const { refreshToken } = (await store.load())!;
  const other = createSession({
    url: system.url,
    store: { load: () => ({ accessToken: '', refreshToken, renewAt: 0 }), save: () => undefined },
  });
  const job = await changingJob(system);
  const events = tabs[1]!.client.subscribe(ScoringJobUpdatedDocument, { id: job.id });
  await events.next();
  // The subscription may end before the answer to the logout has come.
  await Promise.all([expect(events.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }), other.logout()]);
  expect(await store.load()).toBeUndefined();
});

test('the storage of a browser keeps a session for all tabs', () => {
  const items = new Map<string, string>();
  const store = webStore({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  });
  expect(store.load()).toBeUndefined();
  const session = { accessToken: 'a', refreshToken: 'r', renewAt: 1 };
  void store.save(session);
  expect(store.load()).toEqual(session);
  void store.save(undefined);
  expect(items.size).toBe(0);
});
