import { expect, test } from 'vitest';
import { proxyTo } from '../support/cuttable-proxy.js';
import { openConsole, signedIn, startBrowser } from '../support/console.js';
import { startFlakyProxy } from '../support/flaky-proxy.js';
import { asAdmin, createUser } from '../support/identity.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const browser = await startBrowser();
const anna = await createUser(system, { role: 'CLINICIAN' });

test('a user signs in, comes back after a reload, and signs out in every tab', async () => {
  const window = await openConsole(browser, system);
  const { page, context } = window;
  await window.open('/jobs?state=FAILED');
  await expect.poll(() => page.url()).toBe(`${system.url}/sign-in?next=${encodeURIComponent('/jobs?state=FAILED')}`);
  await window.checked();

  await page.getByLabel('Organization').fill(anna.organization);
  await page.getByLabel('Username').fill(anna.username);
  await page.getByLabel('Password').fill('not the password of anna');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('organization, the username or the password').waitFor();
  expect(await page.getByRole('alert').innerText()).toMatch(/Request [\w-]{36}/);
  await window.checked();

  await window.signIn(anna);
  await expect.poll(() => page.url()).toBe(`${system.url}/jobs?state=FAILED`);
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(await page.locator('.who-name').innerText()).toMatch(new RegExp(`${anna.username} of `));
  await window.checked();

  // The refresh token is out of reach of scripts, and the access token is in memory alone.
  const [cookie] = await context.cookies(`${system.url}/session`);
  expect(cookie).toMatchObject({ name: 'riskgraph_session', path: '/session', httpOnly: true, sameSite: 'Strict' });
  expect(await page.evaluate('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])')).toBe(
    JSON.stringify(['', {}, {}]),
  );

  await page.reload();
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(page.url()).toBe(`${system.url}/jobs?state=FAILED`);

  const second = await context.newPage();
  await second.goto(`${system.url}/jobs`);
  await second.getByRole('heading', { name: 'Jobs' }).waitFor();
  const ended = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await ended;
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await context.cookies(`${system.url}/session`)).toEqual([]);
  expect(window.faults).toEqual([]);
  await window.close();
});

test('the console speaks German on a dark phone, and nothing is wider than the window', async () => {
  const window = await openConsole(browser, system, { width: 360, height: 740, locale: 'de-DE', dark: true });
  const { page } = window;
  await window.signIn(anna);
  await page.getByRole('heading', { name: 'Arbeitsliste' }).waitFor();
  expect(await page.evaluate('document.documentElement.lang')).toBe('de');
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await window.checked();
  await page.getByLabel('Sprache').selectOption('en');
  await page.getByRole('heading', { name: 'Worklist' }).waitFor();
  await page.getByLabel('Colours').selectOption('light');
  await window.checked();
  await page.reload();
  await page.getByRole('heading', { name: 'Worklist' }).waitFor();
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light');
  await window.close();
});

test('a place that does not exist says so in the console, and its answer is 404', async () => {
  const window = await openConsole(browser, system);
  await window.signIn(anna);
  const { page } = window;
  await page.evaluate(`history.pushState(null, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate'))`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await window.checked();
  await page.evaluate(`history.pushState(null, '', '/jobs'); dispatchEvent(new PopStateEvent('popstate'))`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor({ state: 'detached' });
  await page.evaluate(`history.pushState(null, '', '/patients/%'); dispatchEvent(new PopStateEvent('popstate'))`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await window.checked();
  // A program gets the error of the API.
  for (const [path, status] of [
    ['/nope/x', 404],
    ['/patients/%E0%A4%A', 400],
  ] as const) {
    const program = await fetch(`${system.url}${path}`, { headers: { accept: '*/*' } });
    expect([program.status, program.headers.get('content-type')]).toEqual([status, 'application/json; charset=utf-8']);
    // A person who typed the address gets the page, with its own policy.
    const typed = await page.goto(`${system.url}${path}`);
    expect([typed?.status(), typed?.headers()['content-security-policy']]).toEqual([
      status,
      expect.stringContaining("script-src 'self'"),
    ]);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await page.getByRole('link', { name: 'Worklist' }).waitFor();
  }
  // Chromium itself tells the two statuses.
  expect(window.faults.filter((fault) => !/status of 40[04]/.test(fault))).toEqual([]);
  await window.close();
});

test('a session that an administrator ends leaves the page, which says why', async () => {
  const window = await openConsole(browser, system);
  const { page } = window;
  const bea = await createUser(system, { role: 'CLINICIAN' });
  await window.open('/jobs');
  await window.signIn(bea);
  await page.getByRole('grid').waitFor();
  await asAdmin(system, 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }', { id: bea.id });
  await page.getByRole('alert').getByText('The session has ended: sign in again.').waitFor();
  await window.checked();
  await window.signIn(bea);
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(page.url()).toBe(`${system.url}/jobs`);
  await window.close();
});

test('a sign-out that does not reach the server leaves the page at once, which says that the session lives on', async () => {
  const window = await openConsole(browser, system);
  const { page } = window;
  await window.signIn(anna);
  let answer: () => void;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/session', async (route) => {
    if (route.request().method() !== 'DELETE') return route.fallback();
    await answered;
    return route.fulfill({ status: 503, json: { errors: [{ message: 'Redis does not answer.' }] } });
  });
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  answer!();
  await page.getByRole('alert').getByText('could not be ended on the server: Redis does not answer.').waitFor();
  await window.checked();
  await window.close();
});

test('a sign-out before the page has its socket is no error of the page', async () => {
  const network = await startFlakyProxy(system.url, { upgrades: 'forget' });
  const window = await signedIn(browser, { ...system, url: network.url }, 'CLINICIAN');
  const { page } = window;
  const asked = page.waitForEvent('websocket');
  await window.open('/jobs');
  await asked;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await window.checked();
  await window.close();
});

test('a page that cannot be loaded comes when the connection is back', async () => {
  const proxy = await proxyTo(system.url);
  const window = await openConsole(browser, { url: proxy.url });
  const { page } = window;
  await window.signIn(anna);
  // As if the other pages were not loaded yet.
  await page.route(/model-list/, (route) => route.abort());
  await window.open('/jobs');
  proxy.cut();
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByText('The connection is lost.').waitFor();
  await page.unroute(/model-list/);
  proxy.mend();
  await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor();
  await window.close();
  await proxy.close();
});

test('a page that was left before its load failed loads nothing again', async () => {
  const proxy = await proxyTo(system.url);
  const window = await openConsole(browser, { url: proxy.url });
  const { page } = window;
  await window.signIn(anna);
  await page.route(/model-list/, (route) => route.abort());
  await window.open('/jobs');
  await page.evaluate('window.isFirst = true');
  proxy.cut();
  const sign = page.getByText('The connection is lost.');
  await sign.waitFor();
  let release: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/console.json', async (route) => {
    await released;
    return route.fulfill({ json: {} });
  });
  const failed = page.waitForEvent('requestfailed', (request) => request.url().includes('model-list'));
  await page.getByRole('link', { name: 'Models' }).click();
  await failed;
  await page.getByRole('link', { name: 'Jobs' }).click();
  await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
  proxy.mend();
  release!();
  await sign.waitFor({ state: 'detached' });
  expect(await page.evaluate('window.isFirst')).toBe(true);
  await window.close();
  await proxy.close();
});

test('a page that asks for nothing notices a lost connection, and its end', async () => {
  const proxy = await proxyTo(system.url);
  const window = await openConsole(browser, { url: proxy.url });
  const { page } = window;
  await page.clock.install();
  await window.signIn(anna);
  await window.open('/models');
  const sign = page.getByText('The connection is lost.');
  proxy.cut();
  await page.clock.fastForward(16_000);
  await sign.waitFor();
  proxy.mend();
  await page.clock.fastForward(3_000);
  await sign.waitFor({ state: 'detached' });
  await window.close();
  await proxy.close();
});

test('a page without a server says so', async () => {
  const window = await openConsole(browser, system, { locale: 'de-DE' });
  const { page } = window;
  await page.route('**/console.json', (route) => route.abort());
  await window.open('/');
  await page.getByRole('alert').getByText('RiskGraph antwortet nicht.').waitFor();
  expect(window.faults.filter((fault) => !fault.includes('ERR_FAILED'))).toEqual([]);
  await window.close();
});

test('a form keeps nothing of what was typed once it is closed', async () => {
  const window = await signedIn(browser, system, 'ADMIN');
  const { page } = window;
  await window.open('/administration/users');
  const password = page.getByRole('dialog').getByLabel(/password/i);
  for (const close of [
    () => page.keyboard.press('Escape'),
    () => page.getByRole('button', { name: 'Close' }).click(),
  ]) {
    await page.getByRole('button', { name: 'New user' }).click();
    await expect.poll(() => password.inputValue()).toBe('');
    await password.fill('a secret that nobody may see');
    await close();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  }
  const kept = `[...document.querySelectorAll('input[type=password]')].map(({ value }) => value)`;
  await expect.poll(() => page.evaluate(kept)).toEqual(['']);
  await window.close();
});
