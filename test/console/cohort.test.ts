import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Page } from 'playwright-core';
import { startWorkers } from '../../workers/index.js';
import type { ResultLine } from '../support/cohorts.js';
import { signedIn, startBrowser, type ConsoleWindow } from '../support/console.js';
import { goldenFeatures, heartDisease, modelId } from '../support/heart-disease.js';
import { ended, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const browser = await startBrowser();
const clinician = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

/** 160 women and 40 men with other values each. One woman has no chest pain type, without which there is no score. */
const women = 160;
const men = 40;
const inputs = Array.from({ length: women + men }, (_, index) => ({
  mrn: `=COHORT-${index}`,
  familyName: 'Okafor',
  givenName: 'Ngozi',
  sex: index < women ? 'FEMALE' : 'MALE',
  features: [
    ...goldenFeatures(index % heartDisease.golden.length).filter(
      ({ code }) => code !== 'sex' && code !== 'age' && (index > 0 || code !== 'chest_pain_type'),
    ),
    { code: 'age', value: 30 + (index % 50) },
    { code: 'sex', value: index < women ? 0 : 1 },
  ],
}));
await system.post(
  'mutation ($inputs: [UpsertPatientInput!]!) { upsertPatients(inputs: $inputs) { outcome error { message } } }',
  { inputs },
  token,
);

/** Long, because a browser on a busy machine is no failure. */

/** Starts the worker for the rest of a test. */
async function work(): Promise<void> {
  const workers = await startWorkers(system.app);
  onTestFinished(() => workers.close());
}

/** All results of a batch, as the API gives them. */
async function resultsOf(jobId: string): Promise<ResultLine[]> {
  const response = await fetch(`${system.url}/jobs/${jobId}/predictions.ndjson`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
}

/** Presses a button that saves a file. @returns its name and content */
async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).first().click(),
  ]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

/** Shows a figure as a table. @returns its rows */
async function tableOf({ page }: ConsoleWindow, index = 0): Promise<string[][]> {
  const figure = page.locator('figure.plot').nth(index);
  await figure.getByRole('button', { name: 'Show as a table' }).click();
  const rows = await figure.locator('tbody tr').allInnerTexts();
  await figure.getByRole('button', { name: 'Show as a figure' }).click();
  return rows.map((row) => row.split('\t').map((cell) => cell.trim()));
}

test('a clinician chooses patients, and cancels the batch', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await window.open('/cohorts');
  await page.getByText('200 patients match now.').waitFor();
  await page.getByRole('button', { name: 'Score all 200 patients' }).waitFor();
  await window.checked();

  await page.getByLabel('Sex').selectOption('MALE');
  await page.getByText('40 patients match now.').waitFor();
  await expect.poll(() => page.url()).toBe(`${system.url}/cohorts?sex=MALE`);
  await page.reload();
  await page.getByText('40 patients match now.').waitFor();

  // A name stays out of the address.
  await page.getByLabel('Family name').fill('Nobody of this name');
  await page.getByLabel('Family name').blur();
  await page.getByText('0 patients match now.', { exact: true }).waitFor();
  expect(await page.getByRole('button', { name: 'Score 0 patients' }).isDisabled()).toBe(true);
  expect(page.url()).toBe(`${system.url}/cohorts?sex=MALE`);
  await page.getByLabel('Family name').fill('');
  await page.getByLabel('Family name').blur();

  await page.getByRole('button', { name: 'Score 40 patients' }).click();
  await page.getByText('0 of 40 patients: waits for a worker').waitFor();
  await page.getByText('The figures come when the cohort has ended.').waitFor();
  await window.checked();
  await page.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByText('Cancelled').waitFor();
  await window.checked();
  await window.close();
});

test('the page follows a batch to its end, and draws what the API tells of it', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await window.open('/cohorts?sex=FEMALE');
  await page.getByRole('button', { name: `Score ${women} patients` }).click();
  await page.getByText(`0 of ${women} patients`).waitFor();
  const jobId = page.url().split('/').at(-1)!;
  await work();
  await page.getByText(`${women} of ${women} patients, 1 failed: done`).waitFor();

  const scored = (await resultsOf(jobId)).flatMap(({ prediction }) =>
    prediction ? [prediction as unknown as Scored] : [],
  );
  expect(scored).toHaveLength(women - 1);
  await page.locator('figure.plot svg').waitFor();
  await window.checked();
  const bandCounts = ['LOW', 'MODERATE', 'HIGH', 'VERY_HIGH'].map((band) =>
    String(scored.filter(({ riskBand }) => riskBand === band).length),
  );
  expect((await tableOf(window)).map(([, count]) => count)).toEqual(bandCounts);

  // The failure, who it is about, and its reason, which a narrow window shows too.
  const failure = page.getByRole('row', { name: /BAD_USER_INPUT/ });
  await failure.waitFor();
  expect(await failure.innerText()).toMatch(/Okafor, Ngozi\s+=COHORT-0\s[\s\S]*chest_pain_type/);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.locator('.cards').waitFor();
  expect(
    await page.evaluate(`[...document.querySelectorAll('.grid-body .grid-cell')]
      .filter((cell) => cell.scrollWidth > cell.clientWidth || cell.getBoundingClientRect().right > innerWidth)
      .map((cell) => cell.textContent)`),
  ).toEqual([]);
  const card = (await failure.boundingBox())!;
  const reason = (await failure.getByText(/chest_pain_type/).boundingBox())!;
  expect(reason.y + reason.height).toBeLessThanOrEqual(card.y + card.height);
  await window.checked();
  await page.setViewportSize({ width: 1280, height: 800 });

  await page.getByRole('link', { name: 'Reasons' }).click();
  await expect.poll(() => page.locator('figure.plot svg').count()).toBe(2);
  // 13 features of 159 patients: a canvas has the points.
  expect(await page.locator('figure.plot canvas').count()).toBe(1);
  expect(await painted(page)).toBeGreaterThan(1_000);
  await window.checked();
  const sizes = heartDisease.features
    .map(({ code, label }) => ({
      label,
      size:
        scored.reduce((sum, { explanation }) => sum + Math.abs(explanation.contributions[code]!), 0) / scored.length,
    }))
    .sort((left, right) => right.size - left.size);
  const bars = await tableOf(window, 1);
  expect(bars[0]![0]).toContain(sizes[0]!.label);
  for (const [index, { size }] of sizes.entries()) expect(Number(bars[index]![1])).toBeCloseTo(size, 2);
  const svg = await saved(page, 'Download SVG');
  expect(svg.name).toBe('reasons-of-the-cohort.svg');
  expect(svg.text.match(/<circle/g)!.length).toBeGreaterThan(159 * 13);

  await page.getByRole('link', { name: 'One feature' }).click();
  await page.getByLabel('Feature').selectOption('age');
  await page.getByRole('heading', { name: 'Results' }).waitFor();
  await expect.poll(() => page.locator('figure.plot svg title').first().textContent()).toContain('Age');
  await window.checked();
  await page.reload();
  await expect.poll(() => page.locator('figure.plot svg title').first().textContent()).toContain('Age');
  // The arrow keys read point after point.
  await page.locator('.plot-figure').focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('.plot-mark-text').innerText()).toMatch(/^Age \(years\): \d+; contribution/);

  await page.getByRole('link', { name: 'Two groups' }).click();
  await page.getByLabel('Groups by').selectOption('age');
  await page.getByLabel(/^Threshold/).fill('50');
  await page.getByLabel(/^Threshold/).blur();
  const older = scored.filter(({ inputs: own }) => own['age']! > 50);
  await page.getByRole('rowheader', { name: `Age above 50 years (${older.length})` }).waitFor();
  await expect.poll(() => page.url()).toContain('split=age&at=50');
  const mean = older.reduce((sum, { value }) => sum + value, 0) / older.length;
  expect(
    await page
      .getByRole('row', { name: /Age above/ })
      .first()
      .innerText(),
  ).toContain(`${(mean * 100).toFixed(1)}%`);
  await window.checked();
  await window.close();
});

/** The fields of a prediction that the figures show. */
interface Scored {
  readonly value: number;
  readonly riskBand: string;
  readonly inputs: Readonly<Record<string, number | null>>;
  readonly explanation: { readonly contributions: Readonly<Record<string, number>> };
}

/** Counts the pixels that a canvas has painted. */
const painted = (page: Page): Promise<number> =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelector('figure.plot canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  })()`);

test('files have all results, and what a spreadsheet would run is a text', async () => {
  await work();
  const { id } = await submit(clinician, { filter: { sex: 'FEMALE' }, modelId });
  await ended(clinician, id);
  const window = await signedIn(browser, system, 'CLINICIAN');
  const { page } = window;
  await window.open(`/cohorts/${id}`);
  await page.getByLabel('With the MRN').check();
  const csv = await saved(page, 'Download CSV');
  expect(csv.name).toBe(`cohort-${id}.csv`);
  const [head, ...rows] = csv.text.trimEnd().split('\r\n');
  expect(rows).toHaveLength(women);
  const columns = head!.split(',');
  const results = await resultsOf(id);
  const cells = rows.map((row) => row.split(','));
  for (const [index, { row, patientId, prediction, failure }] of results.entries()) {
    const cell = (name: string): string => cells[index]![columns.indexOf(name)]!;
    expect([cell('row'), cell('patient_id')]).toEqual([String(row), patientId]);
    expect(cell('mrn')).toMatch(/^'=COHORT-\d+$/);
    expect(cell('value')).toBe(prediction ? String(prediction.value) : '');
    // The base value and the contributions add up to the raw output.
    if (!prediction) expect(cell('base_value')).toBe('');
    else {
      const parts = columns.filter((name) => name === 'base_value' || name.startsWith('contribution_'));
      const sum = parts.reduce((total, name) => total + Number(cell(name)), 0);
      expect(sum).toBeCloseTo(Number(cell('raw_output')), 6);
    }
    expect(cell('failure_code')).toBe(failure ? failure.code : '');
  }
  const ndjson = await saved(page, 'Download NDJSON');
  const lines = ndjson.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
  expect(lines.map(({ mrn, ...rest }) => (expect(mrn).toMatch(/^=COHORT/), rest))).toEqual(results);
  await window.checked();
  await window.close();
});

test('an analyst reads results without a form or MRN; an administrator is not offered cohorts', async () => {
  await work();
  const { id } = await submit(clinician, { filter: { sex: 'MALE' }, modelId });
  await ended(clinician, id);
  const analyst = await signedIn(browser, system, 'ANALYST', {
    width: 360,
    height: 740,
    locale: 'de-DE',
    dark: true,
  });
  await analyst.open('/cohorts');
  await analyst.page.getByRole('link', { name: modelId }).first().waitFor();
  expect(await analyst.page.getByRole('button', { name: /berechnen/ }).count()).toBe(0);
  await analyst.checked();
  await analyst.open(`/cohorts/${id}`);
  await analyst.page.locator('figure.plot svg').waitFor();
  expect(await analyst.page.getByLabel('Mit der MRN').count()).toBe(0);
  expect(await analyst.page.content()).not.toMatch(/Okafor|=COHORT/);
  expect(await analyst.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await analyst.checked();
  await analyst.open(`/cohorts/${id}?view=reasons`);
  // 40 patients are few enough for elements.
  await expect.poll(() => analyst.page.locator('figure.plot svg circle').count()).toBeGreaterThan(39 * 13);
  await analyst.checked();
  await analyst.close();

  const admin = await signedIn(browser, system, 'ADMIN');
  expect(await admin.page.getByRole('link', { name: 'Cohorts' }).count()).toBe(0);
  await admin.open(`/cohorts/${id}`);
  await admin.page.getByRole('heading', { name: 'This page is not for your role' }).waitFor();
  await admin.page.getByText('You are an administrator').waitFor();
  expect(await admin.page.getByText('Ask an administrator').count()).toBe(0);
  await admin.close();
});
