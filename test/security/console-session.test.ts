/** Covers src/http/session-routes.ts, src/http/console-pages.ts, src/http/own-page.ts. */
// Threat: a page of another origin, or a script in the console, takes over the session of a user.

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { consoleAddresses } from '../../src/http/console-pages.js';
import { createUser, credentialOf } from '../support/identity.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem({ worker: false });
const production = await startSystem({
  worker: false,
  environment: { NODE_ENV: 'production', TRUST_PROXY: '127.0.0.1', CORS_ORIGINS: 'https://app.example.org' },
});
const own = { 'x-riskgraph-console': '1', 'sec-fetch-site': 'same-origin' };

interface Session extends Answer<never> {
  readonly body: { readonly accessToken?: string };
  readonly setCookie: string | null;
}

/** Asks for a change of the session, as a browser does. */
async function ask(
  url: string,
  [method, path]: readonly [string, string],
  headers: Record<string, string> = own,
  body?: object,
): Promise<Session> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === '' ? {} : (JSON.parse(text) as Session['body'] & Pick<Answer, 'errors'>);
  const setCookie = response.headers.get('set-cookie');
  return { status: response.status, text, errors: (answer as Answer).errors, body: answer, setCookie };
}
const cookieOf = ({ setCookie }: Session): string => setCookie!.split(';')[0]!;
const login = ['POST', '/session'] as const;
const renew = ['POST', '/session/refresh'] as const;
const end = ['DELETE', '/session'] as const;

// Shows: owasp/cross-site-requests
test.each<[string, Record<string, string>]>([
  ['a form of another site', { 'sec-fetch-site': 'cross-site' }],
  ['a script of another site', { ...own, 'sec-fetch-site': 'cross-site' }],
  ['a page of another port', { ...own, 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
  ['a page that CORS_ORIGINS names', { ...own, 'sec-fetch-site': 'cross-site', origin: 'https://app.example.org' }],
  ['an old browser on a page of another origin', { 'x-riskgraph-console': '1', origin: 'https://app.example.org' }],
  ['a form of the own origin', { 'sec-fetch-site': 'same-origin' }],
])('%s cannot log in, renew or end a session', async (_name, headers) => {
  const user = await createUser(production);
  const cookie = cookieOf(await ask(production.url, login, own, credentialOf(user)));
  for (const [what, body] of [[login, credentialOf(user)], [renew], [end]] as const) {
    const refused = await ask(production.url, what, { ...headers, cookie }, body);
    expect([refused.status, codesOf(refused), refused.setCookie]).toEqual([403, ['FORBIDDEN'], null]);
  }
  expect((await ask(production.url, renew, { ...own, cookie })).status).toBe(200);
});

// Shows: 164.312(d)
test('no answer and no script holds the refresh token, and the cookie goes to the session alone', async () => {
  const user = await createUser(system);
  const begun = await ask(system.url, login, own, credentialOf(user));
  expect(begun.text).not.toContain('rgr_');
  expect(begun.setCookie).toMatch(
    /^riskgraph_session=rgr_[\w-]+; Path=\/session; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
  );
  const overTls = await ask(
    production.url,
    login,
    { ...own, 'x-forwarded-proto': 'https' },
    {
      ...credentialOf(await createUser(production)),
    },
  );
  expect(overTls.setCookie).toMatch(/; SameSite=Strict; Secure$/);

  const cookie = cookieOf(begun);
  const renewed = await ask(system.url, renew, { ...own, cookie });
  expect(renewed.text).not.toContain('rgr_');
  const viewer = await system.post('{ viewer { username } }', undefined, renewed.body.accessToken);
  expect(viewer.data).toEqual({ viewer: { username: user.username } });
  const byCookie = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: cookieOf(renewed) },
    body: '{"query":"{ viewer { username } }"}',
  });
  expect(codesOf((await byCookie.json()) as Answer)).toEqual(['UNAUTHENTICATED']);
});

test('a sign-out ends the session everywhere, and a renewal without a session is told apart from an error', async () => {
  const begun = await ask(system.url, login, own, credentialOf(await createUser(system)));
  const cookie = cookieOf(begun);
  const ended = await ask(system.url, end, { ...own, cookie });
  expect([ended.status, ended.text, cookieOf(ended)]).toEqual([200, '{"ended":true}', 'riskgraph_session=']);
  const { errors } = await system.post('{ viewer { username } }', undefined, begun.body.accessToken);
  expect(codesOf({ errors })).toEqual(['UNAUTHENTICATED']);
  expect((await ask(system.url, renew, { ...own, cookie })).status).toBe(204);
  expect((await ask(system.url, renew)).status).toBe(204);
  expect((await ask(system.url, renew, { ...own, cookie: 'riskgraph_session=rgr_"\'$ne' })).status).toBe(204);
});

test('a sign-in ends the session that the browser had before', async () => {
  const credential = credentialOf(await createUser(system));
  const earlier = await ask(system.url, login, own, credential);
  const later = await ask(system.url, login, { ...own, cookie: cookieOf(earlier) }, credential);
  const asViewer = async ({ body }: Session) =>
    codesOf(await system.post('{ viewer { username } }', undefined, body.accessToken));
  expect([later.status, await asViewer(earlier), await asViewer(later)]).toEqual([200, ['UNAUTHENTICATED'], []]);
  expect((await ask(system.url, renew, { ...own, cookie: cookieOf(later) })).status).toBe(200);
});

test('a refused sign-in ends no session', async () => {
  const credential = credentialOf(await createUser(system));
  const begun = await ask(system.url, login, own, credential);
  const headers = { ...own, cookie: cookieOf(begun) };
  expect((await ask(system.url, login, headers, { ...credential, password: 'another one' })).status).toBe(401);
  expect((await ask(system.url, renew, headers)).status).toBe(200);
});

test('the page is served at the addresses of its places, and at no other', async () => {
  const places = await readFile('web/routes.ts', 'utf8');
  const routes = [...places.matchAll(/path: '([^']+)'/g)].map(([, path]) => path!.replace(/:\w+/, ':id'));
  expect([...consoleAddresses].sort()).toEqual(['/sign-in', ...routes].sort());
});

// Shows: owasp/many-guesses
test('guesses are counted together with those of the mutation, and tell nothing', async () => {
  const user = await createUser(system);
  const guess = { ...credentialOf(user), password: 'a guess' };
  const mutation = 'mutation ($input: LoginInput!) { login(input: $input) { expiresAt } }';
  for (let count = 0; count < 5; count += 1) {
    expect(codesOf(await ask(system.url, login, own, guess))).toEqual(['INVALID_CREDENTIALS']);
    expect(codesOf(await system.post(mutation, { input: guess }))).toEqual(['INVALID_CREDENTIALS']);
  }
  const refused = await ask(system.url, login, own, credentialOf(user));
  expect([refused.status, codesOf(refused)]).toEqual([429, ['RATE_LIMITED']]);
});

test('what is no login is refused with every field, and a large body before it is read', async () => {
  const refused = await ask(system.url, login, own, { organization: 1, password: { $ne: '' } });
  expect(refused.status).toBe(400);
  expect(refused.errors![0]!.extensions!.fields!.map(({ path }) => path)).toEqual([
    'organization',
    'username',
    'password',
  ]);
  expect((await ask(system.url, login, own, { organization: 'x'.repeat(70_000) })).status).toBe(413);
});

// Shows: owasp/interfaces
test('the console runs own scripts and styles alone, none inline, and no page frames it', async () => {
  const page = await fetch(`${production.url}/jobs`);
  const html = await page.text();
  const policy = page.headers.get('content-security-policy')!;
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    expect.stringMatching(/^connect-src 'self' ws:\/\/127\.0\.0\.1:\d+ wss:\/\/127\.0\.0\.1:\d+$/),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=")|https?:/);
  for (const [, address] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(address).toMatch(/^\/assets\//);
    expect((await fetch(`${production.url}${address}`)).status).toBe(200);
  }
});
