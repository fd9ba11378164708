import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { startWorkers } from '../../workers/index.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { openConsole, signedIn, startBrowser } from '../support/console.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const browser = await startBrowser();
const clinician = await system.client('CLINICIAN');
const patients = [await patient(clinician), await patient(clinician)];
const waiting = await submit(clinician, { patientId: patients[0]!.id });

test('a clinician watches, cancels and retries a job, live and by the keyboard alone', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await window.open('/jobs');
  await page.getByRole('row', { name: /Waiting One patient/ }).waitFor();
  await window.checked();

  // A job of another caller is offered, and moves nothing.
  await submit(clinician, { patientIds: patients.map(({ id }) => id) });
  await page.getByRole('button', { name: 'Show newer jobs' }).click();
  await page.getByRole('row', { name: /Batch/ }).waitFor();

  await page.getByLabel('Kind').selectOption('BATCH');
  await expect.poll(() => page.url()).toBe(`${system.url}/jobs?kind=BATCH`);
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  await page.reload();
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  await page.getByLabel('State').selectOption('FAILED');
  await expect.poll(() => page.getByRole('row').count()).toBe(1);
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await expect.poll(() => page.getByRole('row').count()).toBe(3);

  await page.getByRole('grid').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.url()).toBe(`${system.url}/jobs/${waiting.id}`);
  // The focus is at the heading, where a screen reader begins.
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe(`Job ${waiting.id}`);
  await window.checked();

  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('button', { name: 'Keep it as it is' }).click();
  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await window.checked();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('button', { name: 'Retry' }).waitFor();
  await page.getByRole('table').getByText('Cancelled').waitFor();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('button', { name: 'Cancel the job' }).waitFor();

  const workers = await startWorkers(system.app);
  onTestFinished(() => workers.close());
  await page.getByRole('table').getByText('Completed').waitFor();
  expect(await page.locator('dl.facts').innerText()).toMatch(/State\s+Completed/);
  const transitions = page.getByRole('table', { name: 'Changes of state and attempt' }).locator('tbody tr');
  const shown = ['Waiting', 'Cancelled', 'Waiting', 'Running attempt 1', 'Completed attempt 1'];
  const seen = async () => (await transitions.locator('td:nth-child(2)').allInnerTexts()).map((text) => text.trim());
  await expect.poll(seen).toEqual(shown);
  // They are the API's own, so a reload shows the same.
  const times = await page.evaluate<string[]>(
    "[...document.querySelectorAll('tbody time')].map(({ dateTime }) => dateTime)",
  );
  expect(times).toEqual([...times].sort());
  await page.reload();
  await expect.poll(seen).toEqual(shown);
  expect(await transitions.locator('time').count()).toBe(shown.length);
  await page.goBack();
  await expect.poll(() => page.url()).toBe(`${system.url}/jobs`);
  await expect.poll(() => page.getByRole('row', { name: /Completed/ }).count()).toBe(2);
  await window.checked();
  await window.close();
});

test('the focus stays at the heading when the data of a page come late', async () => {
  const { page, open } = await signedIn(browser, system, 'CLINICIAN');
  await open('/jobs');
  await page
    .getByRole('row', { name: /One patient/ })
    .first()
    .waitFor();
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/graphql', async (route) => {
    await answered;
    await route.continue();
  });
  await page.getByRole('grid').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement.tagName');
  await expect.poll(focused).toBe('H1');
  answer();
  await page.getByRole('table').first().waitFor();
  expect(await focused()).toBe('H1');
});

test('each role sees of a job only what it may', async () => {
  for (const [role, sees] of [
    ['CLINICIAN', { patient: 1, retry: 1 }],
    ['ANALYST', { patient: 1, retry: 0 }],
    ['ADMIN', { patient: 0, retry: 1 }],
  ] as const) {
    const job = await submit(clinician, { patientId: patients[1]!.id });
    await system.post(
      'mutation ($id: ID!) { cancelScoringJob(id: $id) { id } }',
      { id: job.id },
      await system.token('CLINICIAN'),
    );
    const window = await signedIn(browser, system, role);
    await window.open(`/jobs/${job.id}`);
    await window.page.locator('dl.facts').getByText('Cancelled').waitFor();
    const shown = {
      patient: await window.page.getByRole('link', { name: 'Open the patient' }).count(),
      retry: await window.page.getByRole('button', { name: 'Retry' }).count(),
    };
    expect([role, shown]).toEqual([role, sees]);
    await window.checked();
    await window.open('/jobs/0123456789abcdef01234567');
    await window.page.getByRole('heading', { name: 'There is no such job' }).waitFor();
    await window.close();
  }
});

test.each([
  ['a job', (id: string) => `/jobs/${id}`, (page: Page) => page.getByRole('table')],
  // The newest job is the first row below the head.
  ['the list of jobs', () => '/jobs', (page: Page) => page.getByRole('row').nth(1)],
])('a lost connection is shown, heals, and %s misses no change', async (_name, path, placeOn) => {
  const job = await submit(clinician, { patientId: patients[0]!.id });
  const proxy = await proxyTo(system.url);
  const { user, ...first } = await signedIn(browser, system, 'CLINICIAN');
  await first.close();
  const window = await openConsole(browser, { url: proxy.url });
  const { page } = window;
  await window.open(path(job.id));
  await window.signIn(user);
  await placeOn(page).getByText('Waiting').waitFor();
  proxy.cut();
  await page.getByText('The connection is lost.').waitFor();
  await system.post(
    'mutation ($id: ID!) { cancelScoringJob(id: $id) { id } }',
    { id: job.id },
    await system.token('CLINICIAN'),
  );
  proxy.mend();
  await placeOn(page).getByText('Cancelled').waitFor();
  await expect.poll(() => page.getByText('The connection is lost.').count()).toBe(0);
  // The browser itself tells of requests that did not get through.
  expect(window.faults.filter((fault) => !/ERR_|WebSocket/.test(fault))).toEqual([]);
  await window.close();
  await proxy.close();
});
