import { randomInt } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CreatePatientDocument } from '../../src/client/generated/graphql.js';
import { packageRoot } from '../../src/process/package-root.js';
import { openConsole, signedIn, startBrowser, type ConsoleWindow } from '../support/console.js';
import { createUser } from '../support/identity.js';
import { goldenFeatures, newPatient } from '../support/heart-disease.js';
import { ended, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Two models. The first one in the list of the API is not the one of the worklist. */
async function twoModels(): Promise<string> {
  const folder = await temporaryDirectory();
  const shipped = join(packageRoot(), 'risk-models/heart-disease');
  for (const id of ['another-model', 'heart-disease']) {
    await cp(shipped, join(folder, id), { recursive: true });
    const manifest = JSON.parse(await readFile(join(shipped, 'manifest.json'), 'utf8')) as object;
    await writeFile(join(folder, id, 'manifest.json'), JSON.stringify({ ...manifest, id, name: id }));
  }
  return folder;
}

const system = await startSystem({
  environment: { RISK_MODELS_DIRECTORY: await twoModels(), WORKLIST_MODEL: 'heart-disease' },
});
const browser = await startBrowser();
const clinician = await system.client('CLINICIAN');

/** Patients of the list. Every name and MRN has a part of its own, which no address and no store may hold. */
const count = 2_000;
const secret = `Canary${randomInt(1e9)}`;
const upsert = /* GraphQL */ `
  mutation ($inputs: [UpsertPatientInput!]!) {
    upsertPatients(inputs: $inputs) {
      outcome
    }
  }
`;
for (let start = 0; start < count; start += 500)
  await clinician.request(upsert, {
    inputs: Array.from({ length: 500 }, (_, offset) => ({
      mrn: `${secret}-${start + offset}`,
      familyName: `${secret} ${start + offset}`,
      givenName: 'Ada',
      birthDate: `19${30 + ((start + offset) % 60)}-04-12`,
      sex: offset % 2 ? 'MALE' : 'FEMALE',
      features: goldenFeatures((start + offset) % 6).filter(({ code }) => code !== 'age' && code !== 'sex'),
    })),
  });
const batch = await submit(clinician, { all: true });
expect(await ended(clinician, batch.id)).toMatchObject({ state: 'COMPLETED' });
while (!(await system.app.latestResults.collect()));
await clinician.request(CreatePatientDocument, {
  input: newPatient({ mrn: `${secret}-new`, familyName: `${secret} unscored` }),
});

const grid = (window: ConsoleWindow) => window.page.getByRole('grid', { name: 'Patients' });
const row = (window: ConsoleWindow, index: number) => window.page.locator(`[role=row][aria-rowindex="${index + 2}"]`);
/** Texts of cells that are wider than their cells. */
const cut = `[...document.querySelectorAll('.grid-body .grid-cell')]
  .filter((cell) => cell.scrollWidth > cell.clientWidth)
  .map((cell) => cell.textContent)`;
/** Risks of the rows that are drawn, as numbers. */
const risks = async (window: ConsoleWindow): Promise<number[]> =>
  (await window.page.locator('.grid-body').getByText(/%/).allInnerTexts()).map((text) => Number.parseFloat(text));
/** The addresses and stores of the window hold neither a name nor an MRN. */
async function expectNothingKept(window: ConsoleWindow): Promise<void> {
  const kept = await window.page.evaluate<string>(
    'JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }, document.cookie])',
  );
  expect(kept).not.toContain(secret);
}

test('a clinician reads the worklist by risk, filters it, and comes back to the same place', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await page.getByRole('heading', { name: 'Worklist' }).waitFor();
  await page.getByText('2,000 patients').waitFor();
  expect(await page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('heart-disease');
  await row(window, 0).getByText(secret).first().waitFor();
  // The search and its buttons stand in one line.
  const search = page.getByRole('search');
  const bottoms = await Promise.all(
    [
      search.getByLabel('Find by'),
      search.getByLabel('Name or MRN'),
      search.getByRole('button', { name: 'Find' }),
      search.getByRole('button', { name: 'Clear' }),
    ]
      .map(async (part) => (await part.boundingBox())!)
      .map(async (box) => Math.round((await box).y + (await box).height)),
  );
  expect(new Set(bottoms).size, String(bottoms)).toBe(1);
  const highest = await risks(window);
  expect(highest).toEqual([...highest].sort((left, right) => right - left));
  await window.checked();

  await page.getByLabel('Order').selectOption('lowest');
  await expect.poll(async () => (await risks(window))[0]).toBeLessThan(highest[0]!);
  await page.getByLabel('Very high', { exact: true }).check();
  await expect.poll(() => page.url()).toContain('bands=VERY_HIGH');
  await expect.poll(async () => (await risks(window))[0]).toBeGreaterThanOrEqual(85);
  const found = await page.getByRole('status').filter({ hasText: 'patients' }).innerText();
  await page.reload();
  await page.getByText(found).waitFor();
  expect(await page.getByLabel('Order').inputValue()).toBe('lowest');
  await window.checked();

  // The order without results has the patient who was never scored.
  await page.getByLabel('Very high', { exact: true }).uncheck();
  await page.getByLabel('Order').selectOption('created');
  await page.getByText('2,001 patients').waitFor();
  await row(window, 0).getByText(`${secret} unscored`).waitFor();
  expect(await row(window, 0).innerText()).toContain('not scored');
  await window.close();
});

test('a name or MRN is found, and stays out of every address and store', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await page.getByText('2,000 patients').waitFor();
  const text = page.getByLabel('Name or MRN');
  await text.fill(`${secret} 77`);
  await page.keyboard.press('Enter');
  await page.getByText('1 patient found by your search').waitFor();
  await row(window, 0).getByText(`${secret} 77`).waitFor();
  await expectNothingKept(window);

  await page.getByLabel('Find by').selectOption('mrn');
  await text.fill(`${secret}-new`);
  await page.getByRole('button', { name: 'Find' }).click();
  // A search finds a patient who was never scored, although the list shows results.
  await row(window, 0).getByText(`${secret} unscored`).waitFor();
  await window.checked();

  // Prefix search is off until an operator switches it on. The API says so in its own words.
  await page.getByLabel('Find by').selectOption('mrnPrefix');
  await text.fill(secret.slice(0, 8));
  await page.getByRole('button', { name: 'Find' }).click();
  await page
    .getByRole('alert')
    .getByText(/prefix search/i)
    .waitFor();
  await expectNothingKept(window);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('2,000 patients').waitFor();
  await window.checked();
  await window.close();
});

test('the keyboard alone reaches, reads and opens any patient, and comes back to the row', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await row(window, 0).getByText(secret).first().waitFor();
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    if (await grid(window).evaluate((element) => element === element.ownerDocument.activeElement)) break;
  }
  const active = () => grid(window).getAttribute('aria-activedescendant');
  expect(await active()).toMatch(/-0$/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await expect.poll(active).toMatch(/-1$/);
  await page.keyboard.press('End');
  await row(window, count - 1)
    .getByText(secret)
    .first()
    .waitFor();
  await expect.poll(active).toMatch(new RegExp(`-${count - 1}$`));
  // This place is remembered. Opening a row right after the next keys must not come back to it.
  await expect.poll(() => page.evaluate<number>('history.state.top')).toBeGreaterThan(count - 100);
  await page.keyboard.press('PageUp');
  await page.keyboard.press('Home');
  await expect.poll(active).toMatch(/-0$/);
  await page.keyboard.press('PageDown');
  const marked = Number((await active())!.split('-').at(-1));
  expect(marked).toBeGreaterThan(5);
  await row(window, marked).getByText(secret).first().waitFor();
  const name = (await row(window, marked).getByRole('link').innerText()).trim();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.goBack();
  await row(window, 0).getByText(secret).first().waitFor();
  expect(window.faults).toEqual([]);
  await window.close();
});

test('2,000 rows scroll to any place, with few rows drawn, and a reload comes back to it', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await row(window, 0).getByText(secret).first().waitFor();
  await grid(window).evaluate((element) => (element.scrollTop = 1_200 * 40));
  await row(window, 1_205).getByText(secret).first().waitFor();
  expect(await page.locator('.grid-body [role=row]').count()).toBeLessThan(60);
  await expect.poll(() => page.evaluate<number>('history.state.top')).toBe(1_200);
  await page.reload();
  await row(window, 1_205).getByText(secret).first().waitFor();
  await window.checked();
  await window.close();
});

test('the user chooses the columns, values of features among them, and this device remembers them', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await row(window, 0).getByText(secret).first().waitFor();
  const columns = page.getByText('Columns', { exact: true });
  await columns.click();
  await page.keyboard.press('Escape');
  await page.getByRole('group', { name: 'Columns' }).waitFor({ state: 'hidden' });
  expect(await page.evaluate('document.activeElement?.tagName')).toBe('SUMMARY');
  await columns.click();
  await page.getByLabel('Serum cholesterol (mg/dL)').check();
  await page.getByLabel('Sex', { exact: true }).uncheck();
  await page.getByRole('columnheader', { name: 'Serum cholesterol (mg/dL)' }).waitFor();
  await expect.poll(() => page.getByRole('columnheader', { name: 'Sex' }).count()).toBe(0);
  await expect.poll(() => row(window, 0).getByRole('gridcell').last().innerText()).toMatch(/^\d+$/);
  await window.checked();
  await expectNothingKept(window);
  await page.reload();
  await page.getByRole('columnheader', { name: 'Serum cholesterol (mg/dL)' }).waitFor();
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('button', { name: 'Usual columns' }).click();
  await page.getByRole('columnheader', { name: 'Sex' }).waitFor();
  await window.close();
});

test('an analyst sees the results of patients, and nothing that says who they are', async () => {
  const window = await signedIn(browser, system, 'ANALYST');
  const { page } = window;
  const answers: string[] = [];
  page.on('response', (response) => {
    if (!response.url().endsWith('/graphql')) return;
    // The body of an answer to the page before the reload is gone.
    response.text().then(
      (text) => answers.push(text),
      () => undefined,
    );
  });
  await page.reload();
  await row(window, 0).getByText(/%/).waitFor();
  const html = await page.content();
  expect(html).not.toContain(secret);
  expect(html).not.toContain('Name or MRN');
  await page.getByText('Columns', { exact: true }).click();
  expect(await page.getByLabel('MRN', { exact: true }).count()).toBe(0);
  // The page does not even ask for what the role may not see: each refusal would be an event of the audit trail.
  expect(answers.length).toBeGreaterThan(1);
  expect(answers.join()).not.toMatch(/FORBIDDEN|Canary/);
  await window.checked();
  await window.close();
});

test('an administrator gets no worklist', async () => {
  const window = await signedIn(browser, system, 'ADMIN');
  expect(await window.page.getByRole('link', { name: 'Worklist' }).count()).toBe(0);
  await window.close();
});

test('on a phone of 320 pixels each patient is a card, and nothing is wider than the window', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN', { width: 320, height: 640, dark: true });
  const { page } = window;
  await row(window, 0).getByText(secret).first().waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(await row(window, 0).innerText()).toMatch(/Latest risk[\s\S]*%[\s\S]*MRN/);
  // The MRN is what tells patients apart, so none of it is cut, and of the other values neither.
  expect(await page.evaluate(cut)).toEqual([]);
  await window.checked();
  await window.close();
});

test('the worklist speaks German', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN', { locale: 'de-DE' });
  await window.page.getByText('2.000 Personen').waitFor();
  await window.checked();
  await window.page.setViewportSize({ width: 320, height: 640 });
  await window.page.locator('.cards').waitFor();
  await row(window, 0).getByText(secret).first().waitFor();
  expect(await window.page.evaluate(cut)).toEqual([]);
  await window.close();
});

test('an MRN outside of the care team is opened with a reason', async () => {
  const mrn = `${secret}-guarded`;
  const { createPatient } = await clinician.request(CreatePatientDocument, {
    input: newPatient({ mrn, familyName: 'Guarded', careTeam: null }),
  });
  const other = await createUser(system, { username: 'the-other' });
  const admin = await system.client('ADMIN');
  await admin.request('mutation ($input: AssignCareTeamInput!) { assignCareTeam(input: $input) { patientId } }', {
    input: { patientId: createPatient.id, careTeam: [other.username] },
  });
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await page.getByText('2,000 patients').waitFor();
  await page.getByLabel('Find by').selectOption('mrn');
  await page.getByLabel('Name or MRN').fill(mrn);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Look for this MRN outside of my care teams' }).click();
  await page.getByText('You are not in the care team of this patient.').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  await window.checked();
  await page.getByLabel('Reason').fill('Unconscious in the emergency room');
  await page.getByRole('button', { name: 'Break the glass' }).click();
  await page.getByRole('heading', { level: 1, name: 'Guarded' }).waitFor();
  expect(window.faults).toEqual([]);
  await window.close();
});

test('the list says that the connection is lost, and goes on where it was', async () => {
  const user = await createUser(system);
  const window = await openConsole(browser, system);
  onTestFinished(() => window.close());
  await window.signIn(user);
  await row(window, 0).getByText(secret).first().waitFor();
  await window.context.setOffline(true);
  await grid(window).evaluate((element) => (element.scrollTop = 700 * 40));
  await window.page.getByText('The connection is lost.').waitFor();
  await window.context.setOffline(false);
  await row(window, 705).getByText(secret).first().waitFor();
  await expect.poll(() => window.page.getByText('The connection is lost.').count()).toBe(0);
});
