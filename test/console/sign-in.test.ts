import { expect, test } from 'vitest';
import { openConsole, startBrowser } from '../support/console.js';
import { asAdmin, createUser } from '../support/identity.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const browser = await startBrowser();
const anna = await createUser(system, { role: 'CLINICIAN' });

test('a user signs in, comes back after a reload, and signs out in every tab', async () => {
  const window = await openConsole(browser, system);
  const { page, context } = window;
  await window.open('/jobs?state=FAILED');
  expect(page.url()).toBe(`${system.url}/sign-in?next=${encodeURIComponent('/jobs?state=FAILED')}`);
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
  await page.getByRole('button', { name: 'Sign out' }).click();
  await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
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
  expect((await fetch(`${system.url}/nowhere`)).status).toBe(404);
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
