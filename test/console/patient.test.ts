import { expect, test } from 'vitest';
import { CreatePatientDocument, UpdatePatientDocument } from '../../src/client/generated/graphql.js';
import { atEnd } from '../support/at-end.js';
import { openConsole, signedIn, startBrowser, type ConsoleWindow } from '../support/console.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { createUser } from '../support/identity.js';
import { goldenFeatures, heartDisease, newPatient } from '../support/heart-disease.js';
import { ended, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { startWorkers } from '../../workers/index.js';

const system = await startSystem({ worker: false, environment: { ACCESS_TOKEN_MINUTES: '1' } });
let workers = await startWorkers(system.app);
atEnd(() => workers.close());
const browser = await startBrowser();
const clinician = await system.client('CLINICIAN');

const values = goldenFeatures(1).filter(({ code }) => code !== 'age' && code !== 'sex' && code !== 'cholesterol');
/** Creates a patient whose cholesterol is missing. */
const create = async (familyName: string, givenName: string) =>
  (
    await clinician.request(CreatePatientDocument, {
      input: newPatient({ familyName, givenName, birthDate: '1930-12-10', sex: 'FEMALE', features: values }),
    })
  ).createPatient;
const ada = await create('Hopper', 'Ada');
const place = `/patients/${ada.id}`;

/** Scores the patient, outside of the page. */
async function score(patientId: string): Promise<void> {
  expect(await ended(clinician, (await submit(clinician, { patientId })).id)).toMatchObject({ state: 'COMPLETED' });
}
await score(ada.id);

const risk = (window: ConsoleWindow) => window.page.locator('section.risk');
const answer = (window: ConsoleWindow) => risk(window).locator('.answer strong');
/** The window of most tests. */
const desk = await signedIn(browser, system, 'CLINICIAN');
// As on a page without HTTPS.
await desk.page.addInitScript('delete Crypto.prototype.randomUUID');

test('a clinician sees who the patient is, each value with unit, range and age, and scores now', async () => {
  const window = desk;
  const { page } = window;
  const lovelace = await create('Lovelace', 'Ada');
  await window.open(`/patients/${lovelace.id}`);
  await page.getByRole('heading', { level: 1, name: 'Lovelace, Ada' }).waitFor();
  const identity = page.getByRole('region', { name: 'Identity' });
  expect(await identity.innerText()).toMatch(
    new RegExp(`MRN\\s+${lovelace.mrn}[\\s\\S]*10 Dec 1930[\\s\\S]*Every clinician[\\s\\S]*Female`),
  );
  const line = (name: string) => page.locator('section.values').getByRole('row', { name });
  expect(await line('Resting blood pressure').innerText()).toMatch(
    /\d+\smm Hg\s+50 to 300\smm Hg\s+.*(ago|this minute)/,
  );
  expect(await line('Serum cholesterol').innerText()).toMatch(/missing\s*The model uses 247\smg\/dL/);
  expect(await line('Age').innerText()).toMatch(/\d\d\syears[\s\S]*from the record/);
  await page.getByText('This model has not scored the patient yet.').waitFor();
  await window.checked();

  await page.getByRole('button', { name: 'Score now' }).click();
  await page.getByText(/^New score: [\d.]+%/).waitFor();
  await answer(window).waitFor();
  const band = await risk(window).locator('.answer .badge').innerText();
  const meaning = heartDisease.riskBands.find(({ band: name }) => name.replace('_', ' ') === band.toUpperCase())!;
  await risk(window).getByText(meaning.meaning).first().waitFor();
  await risk(window).getByText(heartDisease.intendedUse).waitFor();
  await risk(window).locator('svg').waitFor();
  const percent = await answer(window).innerText();
  await risk(window).getByText(`Calibration makes it ${percent}.`).waitFor();
  expect(new URL(page.url()).search).toBe('');
  await window.checked();

  // The table behind the waterfall adds up, and both files are offered.
  await risk(window).getByRole('button', { name: 'Show as a table' }).click();
  await risk(window).getByRole('row', { name: 'Base value' }).waitFor();
  await risk(window).getByRole('button', { name: 'Show as a figure' }).click();
  const download = page.waitForEvent('download');
  await risk(window).getByRole('button', { name: 'Download PNG' }).click();
  expect((await download).suggestedFilename()).toBe('risk-reasons.png');
  await window.checked();
});

test('the history shows what changed between two scores, and a reload keeps the two', async () => {
  const { updatePatient } = await clinician.request(UpdatePatientDocument, {
    input: {
      id: ada.id,
      expectedVersion: ada.version,
      features: [
        { code: 'cholesterol', value: 410 },
        { code: 'max_heart_rate', value: 90 },
        { code: 'exercise_angina', value: 1 },
      ],
    },
  });
  expect(updatePatient.version).toBe(ada.version + 1);
  const window = desk;
  const { page } = window;
  await window.open(place);
  await page.getByText('Values have changed since this score.').waitFor();
  await score(ada.id);
  await score(ada.id);
  await page.reload();
  const history = page.locator('section.history');
  await history.getByRole('row').nth(3).waitFor();
  expect(await history.locator('.plot-figure svg').first().innerHTML()).toContain('Very high');
  const earliest = history.getByRole('radio', { name: /^Earlier/ }).last();
  const changedValue = history
    .locator('figure')
    .last()
    .locator('svg text')
    .getByText(/410\smg\/dL/)
    .first();
  await earliest.check();
  await changedValue.waitFor();
  await history.locator('figure').last().getByRole('button', { name: 'Show as a table' }).click();
  await history.getByRole('row', { name: /Serum cholesterol/ }).waitFor();
  await window.checked();
  expect(page.url()).toContain('from=');
  await page.reload();
  await changedValue.waitFor();
  expect(await earliest.isChecked()).toBe(true);
});

test('what-if shows original and changed side by side, says that both are simulated, and stores nothing', async () => {
  const window = desk;
  const { page } = window;
  await window.open(place);
  await page.getByRole('button', { name: 'Try other values' }).click();
  const original = page.getByRole('region', { name: 'With the present values' });
  const changed = page.getByRole('region', { name: 'With the changed values' });
  await original.locator('.answer').waitFor();
  const before = await system.counts();
  const now = await original.locator('.answer strong').innerText();
  await page.getByRole('combobox', { name: 'Exercise-induced angina' }).selectOption('no');
  await page.getByRole('slider', { name: 'Maximum heart rate' }).fill('190');
  await changed.locator('.answer').waitFor();
  await expect.poll(() => changed.locator('.answer strong').innerText()).not.toBe(now);
  await changed.getByText(/Difference: [+−]?[\d.]+ percentage points/).waitFor();
  expect(await original.innerText()).toContain('Simulated, not stored');
  expect(await changed.innerText()).toContain('Simulated, not stored');
  await page.getByText('Now: 90 beats/min.').waitFor();
  await window.checked();

  // A value out of its range is refused in the API's own words.
  await page.getByRole('spinbutton', { name: 'Maximum heart rate' }).fill('999');
  await changed
    .getByRole('alert')
    .getByText(/must be between 40 and 250 beats\/min/)
    .waitFor();
  await page.getByRole('button', { name: 'Put all back' }).click();
  await changed.getByText('No value is changed yet.').waitFor();
  await page.getByLabel('missing: Serum cholesterol').check();
  await changed.locator('.answer').waitFor();
  await window.checked();
  expect(await system.counts()).toEqual(before);
});

test('an analyst sees values, risk and history, and neither identity nor actions', async () => {
  const window = await signedIn(browser, system, 'ANALYST');
  const { page } = window;
  await window.open(place);
  await page.getByRole('heading', { level: 1, name: `Patient …${ada.id.slice(-6)}` }).waitFor();
  await answer(window).waitFor();
  await page.locator('section.history figure').first().waitFor();
  await page.getByRole('region', { name: 'Identity' }).getByText('90 years or more').waitFor();
  await page.getByText('Your role does not show who the patient is.').waitFor();
  const html = await page.content();
  for (const hidden of ['Hopper', ada.mrn!, '1930', 'Score now', 'Try other values', 'Care team'])
    expect(html).not.toContain(hidden);
  await window.checked();
  await window.close();
});

test('a patient outside of the care team is seen after a reason', async () => {
  const { createPatient } = await clinician.request(CreatePatientDocument, {
    input: newPatient({ familyName: 'Guarded' }),
  });
  const other = await createUser(system, { username: 'the-other' });
  const admin = await system.client('ADMIN');
  await admin.request('mutation ($input: AssignCareTeamInput!) { assignCareTeam(input: $input) { patientId } }', {
    input: { patientId: createPatient.id, careTeam: [other.username] },
  });
  const window = desk;
  const { page } = window;
  await window.open(`/patients/${createPatient.id}`);
  await page.getByText('You are not in the care team of this patient.').waitFor();
  // It is no failure, and has none of the words of the API.
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(await page.locator('main').innerText()).not.toContain('breakGlass');
  expect(await page.content()).not.toContain('Guarded');
  await window.checked();
  await page.getByLabel('Reason').fill('Unconscious in the emergency room');
  await page.getByRole('button', { name: 'Break the glass' }).click();
  await page.getByRole('heading', { level: 1, name: 'Guarded' }).waitFor();
  await page.getByText(/You see this patient by breaking the glass until/).waitFor();
  await page.reload();
  await page.getByText(/You see this patient by breaking the glass until/).waitFor();
  await window.checked();
});

test('a score without the needed values names them once, by their labels', async () => {
  const { createPatient } = await clinician.request(CreatePatientDocument, {
    input: newPatient({ birthDate: null, sex: null, features: [] }),
  });
  const window = desk;
  const { page } = window;
  await window.open(`/patients/${createPatient.id}`);
  await page.getByRole('button', { name: 'Score now' }).click();
  const needed = heartDisease.features.filter(({ missing }) => missing.policy === 'REQUIRED');
  expect(needed.length).toBeGreaterThan(1);
  const labels = needed.map(({ label }) => label).join(', ');
  expect(await risk(window).getByRole('alert').innerText()).toBe(
    `There is no score yet. The model needs values that are missing: ${labels}.`,
  );
  await window.checked();
});

test('a patient that is not there says so', async () => {
  const window = desk;
  await window.open('/patients/0123456789abcdef01234567');
  await window.page.getByText('There is no such patient in your organization').waitFor();
  await window.checked();
});

test('a connection cut in the middle of a scoring heals, and the score is there once', async () => {
  const proxy = await proxyTo(system.url);
  const user = await createUser(system);
  const window = await openConsole(browser, { url: proxy.url });
  const { page } = window;
  await window.signIn(user);
  await window.open(place);
  await answer(window).waitFor();
  const scores = page.getByRole('region', { name: /^\d+ scores?$/ }).getByRole('row');
  await scores.nth(1).waitFor();
  const before = await scores.count();
  // The page brings what others stored meanwhile.
  proxy.cut();
  await page.getByText('The connection is lost.').waitFor();
  await ended(clinician, (await submit(clinician, { patientId: ada.id })).id);
  proxy.mend();
  await expect.poll(() => scores.count()).toBe(before + 1);
  // No worker is there, so that the job waits while the connection is cut.
  await workers.close();
  await page.getByRole('button', { name: 'Score now' }).click();
  await page.getByText('Waits for a worker').waitFor();
  await expect.poll(() => page.url()).toContain('job=');
  proxy.cut();
  await page.getByText('The connection is lost.').waitFor();
  workers = await startWorkers(system.app);
  proxy.mend();
  await page.getByText(/^New score: [\d.]+%/).waitFor();
  await expect.poll(() => page.getByText('The connection is lost.').count()).toBe(0);
  await expect.poll(() => scores.count()).toBe(before + 2);
  expect(page.url()).not.toContain('job=');
  await window.close();
  await proxy.close();
});

test('a token that ends is renewed, and the page goes on', async () => {
  const window = await openConsole(browser, system);
  const { page } = window;
  await page.clock.install();
  await window.signIn(await createUser(system));
  await window.open(place);
  await answer(window).waitFor();
  const renewed = page.waitForResponse((response) => response.url().endsWith('/session/refresh'));
  await page.clock.fastForward(65_000);
  await page.getByRole('button', { name: 'Score now' }).click();
  expect((await renewed).status()).toBe(200);
  await page.getByText(/^New score: [\d.]+%/).waitFor();
  expect(window.faults).toEqual([]);
  await window.close();
});

test('the keyboard alone scores, compares and tries values', async () => {
  const window = desk;
  const { page } = window;
  await window.open(place);
  await answer(window).waitFor();
  const tabTo = async (name: string): Promise<void> => {
    for (let presses = 0; presses < 80; presses += 1) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate<string>(
        `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent)`,
      );
      if (text.startsWith(name)) return;
    }
    throw new Error(`Tab does not reach ${name}`);
  };
  await tabTo('Score now');
  await page.keyboard.press('Enter');
  await page.getByText(/^New score: [\d.]+%/).waitFor();
  await tabTo('Try other values');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'With the present values' }).locator('.answer').waitFor();
  await tabTo('Age');
  await page.keyboard.press('ArrowLeft');
  await page.getByText('changed', { exact: true }).waitFor();
  await page.getByRole('region', { name: 'With the changed values' }).locator('.answer').waitFor();
  await window.checked();
});

test('on a phone of 320 pixels and in the dark nothing is wider than the window', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN', { width: 320, height: 640, dark: true });
  const { page } = window;
  await window.open(place);
  await answer(window).waitFor();
  await page.getByRole('button', { name: 'Try other values' }).click();
  await page.getByRole('region', { name: 'With the present values' }).locator('.answer').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await window.checked();
  await window.close();
});

test('the page is printed without its controls, in German too', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN', { locale: 'de-DE' });
  const { page } = window;
  await window.open(place);
  await answer(window).waitFor();
  await window.checked();
  await page.emulateMedia({ media: 'print' });
  expect(await page.getByRole('button').count()).toBe(0);
  expect(await page.locator('section.what-if').isVisible()).toBe(false);
  expect(await page.locator('.print-only').innerText()).toMatch(/Gedruckt .* von user-/);
  expect((await page.pdf()).length).toBeGreaterThan(20_000);
  await window.close();
});
