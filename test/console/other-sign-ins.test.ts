import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { atEnd } from '../support/at-end.js';
import { openConsole, startBrowser } from '../support/console.js';
import { startIdentityProvider } from '../support/identity-provider.js';
import { serveUntilEnd } from '../support/serve.js';
import { startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const clientId = 'the-console';
const provider = await startIdentityProvider();
atEnd(() => provider.close());
const pages = await startSignInPages();
provider.endSessionEndpoint = `${pages.url}/end`;
const directory = await temporaryDirectory();
await writeFile(join(directory, 'list.json'), '{}');
const environment = {
  ...provider.environment,
  OIDC_CLIENT_ID: clientId,
  OIDC_AUTHORIZATION_ENDPOINT: `${pages.url}/authorize`,
  OIDC_TOKEN_ENDPOINT: `${pages.url}/token`,
  PERSISTED_QUERIES_FILE: join(directory, 'list.json'),
};
const system = await startSystem({ worker: false, environment });
await system.organizationId();
const browser = await startBrowser();

/**
 * The pages of an identity provider whose user is signed in there already: it asks nothing, and gives a code that the
 * holder of the verifier alone can use, once.
 */
async function startSignInPages() {
  const codes = new Map<string, URLSearchParams>();
  const asked: URLSearchParams[] = [];
  const ended: URLSearchParams[] = [];
  let claims: Record<string, string> = {};
  const idToken = () => provider.token({ claims: { aud: clientId, nonce: randomUUID() } });
  let answer: (back: URLSearchParams) => void = () => undefined;
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://provider');
    if (url.pathname === '/authorize') {
      const code = randomUUID();
      asked.push(url.searchParams);
      codes.set(code, url.searchParams);
      const back = new URLSearchParams({ code, state: url.searchParams.get('state')!, iss: provider.issuer });
      answer(back);
      return void response.writeHead(302, { location: `${url.searchParams.get('redirect_uri')}?${back}` }).end();
    }
    if (url.pathname === '/end') {
      ended.push(url.searchParams);
      const back = new URL(url.searchParams.get('post_logout_redirect_uri')!);
      back.searchParams.set('state', url.searchParams.get('state')!);
      return void response.writeHead(302, { location: String(back) }).end();
    }
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => void giveTokens(new URLSearchParams(body)));
    const giveTokens = async (form: URLSearchParams): Promise<void> => {
      const begun = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isGood =
        begun?.get('code_challenge') === challenge &&
        begun.get('redirect_uri') === form.get('redirect_uri') &&
        form.get('client_id') === clientId &&
        form.get('grant_type') === 'authorization_code';
      response.writeHead(isGood ? 200 : 400, {
        'content-type': 'application/json',
        'access-control-allow-origin': request.headers.origin ?? '',
      });
      const tokens = isGood
        ? {
            access_token: await provider.token({ claims }),
            id_token: await idToken(),
            token_type: 'Bearer',
            expires_in: 600,
          }
        : { error: 'invalid_grant', error_description: 'The code is not valid.' };
      response.end(JSON.stringify(tokens));
    };
  });
  return {
    url: await serveUntilEnd(server),
    asked,
    ended,
    set claims(changed: typeof claims) {
      claims = changed;
    },
    set answer(change: typeof answer) {
      answer = change;
    },
  };
}

test('a user signs in with the identity provider, comes back to the same place, and signs out', async () => {
  const window = await openConsole(browser, system);
  const { page } = window;
  await window.open('/jobs?state=FAILED');
  await window.checked();
  await page.getByRole('button', { name: 'Sign in with your hospital account' }).click();
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(page.url()).toBe(`${system.url}/jobs?state=FAILED`);
  expect(await page.locator('.who-name').innerText()).toMatch(/oidc\|[\w-]+ of /);
  expect(Object.fromEntries(pages.asked[0]!)).toMatchObject({
    response_type: 'code',
    client_id: clientId,
    code_challenge_method: 'S256',
    redirect_uri: `${system.url}/sign-in`,
    scope: 'openid',
  });
  // Neither a token nor a verifier stays in the page's storage.
  expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe(
    JSON.stringify([{}, { 'riskgraph.oidc-used': '1' }]),
  );
  await window.checked();

  // The provider still knows the user, so a reload asks nothing.
  await page.reload();
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(page.url()).toBe(`${system.url}/jobs?state=FAILED`);
  expect(pages.asked).toHaveLength(2);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('status').getByText('signed out here and at your hospital account').waitFor();
  expect(page.url()).toBe(`${system.url}/sign-in`);
  expect(pages.ended).toHaveLength(1);
  expect(Object.fromEntries(pages.ended[0]!)).toEqual({
    client_id: clientId,
    post_logout_redirect_uri: `${system.url}/sign-in`,
    state: expect.stringMatching(/^[\w-]{43}$/),
    id_token_hint: expect.any(String),
  });
  expect(decodeJwt(pages.ended[0]!.get('id_token_hint')!)).toMatchObject({ aud: clientId });
  expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe('[{},{}]');
  await window.checked();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(pages.asked).toHaveLength(2);
  await window.close();
});

test('where the provider cannot end its session, the page says that it lives on', async () => {
  provider.endSessionEndpoint = undefined;
  const without = await startSystem({ worker: false, environment });
  await without.organizationId();
  const window = await openConsole(browser, without);
  const { page } = window;
  await window.open('/jobs');
  await page.getByRole('button', { name: 'Sign in with your hospital account' }).click();
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('status').getByText('Your hospital account is still signed in').waitFor();
  expect(pages.ended).toHaveLength(1);
  await window.checked();
  // A state that this tab has not made is no return from a sign-out.
  await window.open('/sign-in?state=made-up');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.getByRole('status').getByText('signed out').count()).toBe(0);
  await window.close();
});

test.each<[string, (back: URLSearchParams) => void, string]>([
  ['an answer to a sign-in of another tab', (back) => back.set('state', 'x'), 'was not begun in this tab'],
  ['an answer of another provider', (back) => back.set('iss', 'https://evil.example'), 'was not begun in this tab'],
  ['a code of another sign-in', (back) => back.set('code', 'y'), 'The code is not valid.'],
  [
    'a refusal',
    (back) => (back.delete('code'), back.set('error', 'access_denied'), back.set('error_description', 'Not today.')),
    'Not today.',
  ],
])('%s signs nobody in, and the page says why', async (_name, change, says) => {
  const window = await openConsole(browser, system);
  const { page } = window;
  pages.answer = change;
  await window.open('/sign-in');
  await page.getByRole('button', { name: 'Sign in with your hospital account' }).click();
  await page.getByRole('alert').getByText(says).waitFor();
  expect(page.url()).toBe(`${system.url}/sign-in`);
  pages.answer = () => undefined;
  await window.close();
});

test('a token that the API refuses ends the sign-in once, with the words of the API', async () => {
  const window = await openConsole(browser, system);
  const { page } = window;
  pages.claims = { organization: 'no-such-organization' };
  const before = pages.asked.length;
  await window.open('/sign-in');
  await page.getByRole('button', { name: 'Sign in with your hospital account' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('alert').innerText()).toMatch(/Request [\w-]{36}/);
  await window.checked();
  expect(pages.asked).toHaveLength(before + 1);
  pages.claims = {};
  await window.close();
});

test('all of this ran where an allow-list names no document of its own, and other documents do not run', async () => {
  const { errors } = await system.post('{ viewer { username } }', undefined, await system.token('ADMIN'));
  expect(errors![0]!.message).toContain('is not on the allow-list');
});
