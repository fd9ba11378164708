import { expect, test } from 'vitest';
import { signedIn, startBrowser } from '../support/console.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const browser = await startBrowser();
const clinician = await signedIn(browser, system, 'CLINICIAN');
const { page } = clinician;
const inputs = { age: 61, sex: 1, chest_pain_type: 4, max_heart_rate: 118, st_depression: 2.1 };

test('the list leads to the card of a model, which is shown as text and never as HTML', async () => {
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByRole('row').filter({ hasText: 'heart-disease' }).getByText('Default').waitFor();
  await clinician.checked();
  await page.getByRole('link', { name: 'Obstructive coronary artery disease' }).click();
  await page.getByRole('heading', { name: 'Obstructive coronary artery disease 1.0.0', level: 1 }).waitFor();
  expect(page.url()).toBe(`${system.url}/models/heart-disease%401.0.0`);
  await page.getByText('Not a medical device').first().waitFor();
  await page.getByRole('heading', { name: 'Validation' }).waitFor();
  expect(await page.locator('.markdown table').count()).toBeGreaterThan(5);
  await clinician.checked();
});

test('inputs have units and rules for missing values, and metrics have intervals', async () => {
  await clinician.open('/models/heart-disease%401.0.0');
  await page.getByRole('link', { name: 'Inputs' }).click();
  const age = page.getByRole('row').filter({ hasText: 'Age at the time' });
  await age.getByText('years').waitFor();
  await age.getByText('There is no score without it.').waitFor();
  await page.getByText('is taken instead').first().waitFor();
  await clinician.checked();
  await page.getByRole('link', { name: 'Quality' }).click();
  expect(new URL(page.url()).search).toBe('?tab=quality');
  await page.getByRole('row').filter({ hasText: 'AUROC' }).first().getByText('0.867 – 0.909').waitFor();
  await page.locator('svg').first().waitFor();
  await clinician.checked();
  await page.getByRole('button', { name: 'Show as a table' }).click();
  await page.getByRole('row').filter({ hasText: '5.1%' }).getByText('1.3% – 9.6%').waitFor();
  await clinician.checked();
});

test('the model answers values of choice, by the keyboard alone, and stores nothing', async () => {
  await page.getByRole('link', { name: 'Try it' }).press('Enter');
  await page.getByText('Fill in the inputs that the model needs.').waitFor();
  await clinician.checked();
  await page.getByLabel(/^Age/).press('6');
  await page.keyboard.press('1');
  await page.getByLabel(/^Sex/).selectOption({ label: 'male' });
  await page.getByLabel(/^Chest pain/).focus();
  await page.keyboard.press('End');
  await page.getByRole('heading', { name: /^Answer: [\d.]+\s?%/ }).waitFor();
  await page.locator('svg text', { hasText: 'Age' }).first().waitFor();
  await clinician.checked();
  expect(new URL(page.url()).search).toBe('?tab=trial');
  expect(await system.app.models.predictions.countDocuments()).toBe(0);
  await page.getByLabel(/^Age/).fill('7');
  await page.getByRole('alert').waitFor();
  await clinician.checked();
});

test('partial dependence has a line per patient, and is grey where there are none', async () => {
  await page.getByRole('link', { name: 'Behaviour' }).click();
  await page.getByText('No patient has a prediction of this version yet').waitFor();
  await clinician.checked();
  const token = await system.token('CLINICIAN');
  for (const [index, age] of [44, 61, 75].entries()) {
    const features = Object.entries({ ...inputs, age }).map(([code, value]) => ({ code, value }));
    const created = await system.post<{ createPatient: { id: string } }>(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: { mrn: `PLOT-${index}`, features } },
      token,
    );
    await system.post(
      'mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }',
      { input: { patientId: created.data!.createPatient.id, modelId: 'heart-disease' } },
      token,
    );
  }
  await expect.poll(() => system.app.models.predictions.countDocuments()).toBe(3);
  await page.reload();
  await page.getByRole('combobox', { name: 'Input' }).selectOption('age');
  await page.locator('svg text', { hasText: 'What Age does' }).first().waitFor();
  await page.locator('svg text', { hasText: 'no patients here' }).first().waitFor();
  await page
    .locator('svg text', { hasText: /^Lines of \d+ of \d+ patients/ })
    .first()
    .waitFor();
  expect(new URL(page.url()).searchParams.get('input')).toBe('age');
  await clinician.checked();
  await page.getByRole('combobox', { name: 'Input' }).selectOption('chest_pain_type');
  await page.locator('svg text', { hasText: 'What Chest pain' }).first().waitFor();
  await clinician.checked();
});

test.each([
  ['ANALYST', 'Only roles that may simulate', 'Your role may not simulate.'],
  ['ADMIN', 'Only roles that may simulate', 'Your role may not simulate.'],
] as const)('%s sees the model, and is told what is not for the role', async (role, behaviour, trial) => {
  const window = await signedIn(browser, system, role);
  await window.open('/models/heart-disease%401.0.0?tab=behaviour');
  await window.page.getByText(behaviour).waitFor();
  await window.checked();
  await window.page.getByRole('link', { name: 'Try it' }).click();
  await window.page.getByText(trial).waitFor();
  await window.checked();
  await window.close();
});

/** The texts of values that stand in a column that is too narrow for them: some letters per line. */
const squeezed = `[...document.querySelectorAll('dd, td, th')]
  .filter((cell) => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    return cell.clientWidth < 80 && text.getBoundingClientRect().height > 4 * cell.clientWidth;
  })
  .map((cell) => cell.textContent)`;

test('it can be read on a small dark phone, in German, and says which model does not exist', async () => {
  const window = await signedIn(browser, system, 'CLINICIAN', { width: 320, height: 700, locale: 'de-DE', dark: true });
  await window.open('/models/heart-disease%401.0.0');
  for (const tab of ['Modellkarte', 'Eingaben', 'Güte', 'Verhalten', 'Ausprobieren']) {
    await window.page.getByRole('link', { name: tab }).click();
    await window.page.locator('section.card').first().waitFor();
    expect(await window.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), tab).toBe(true);
    // No value is squeezed into a column of single letters.
    expect(await window.page.evaluate(squeezed), tab).toEqual([]);
    await window.checked();
  }
  await window.page.getByLabel(/^Age/).fill('61');
  await window.page.getByLabel(/^Sex/).selectOption({ label: 'male' });
  await window.page.getByLabel(/^Chest pain/).selectOption({ index: 1 });
  // Words and numbers are German, and the figure has the width of the phone.
  await window.page.locator('figure.plot svg text', { hasText: 'erhöht' }).first().waitFor();
  expect(await window.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await window.checked();
  await window.page.getByRole('button', { name: 'Als Tabelle zeigen' }).click();
  await window.page.getByRole('columnheader', { name: 'Beitrag (rohe Wahrscheinlichkeit)' }).waitFor();
  await window.open('/models/other%401.0.0');
  await window.page.getByRole('heading', { name: 'Dieses Modell gibt es nicht' }).waitFor();
  await window.checked();
  await window.close();
});
