import { expect, test } from 'vitest';
import { signedIn, startBrowser } from '../support/console.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const browser = await startBrowser();
const clinician = await system.client('CLINICIAN');
const { id: patientId } = await patient(clinician);
// Two scores, which can be compared.
for (let count = 0; count < 2; count += 1) await ended(clinician, (await submit(clinician, { patientId })).id);
const place = `/patients/${patientId}`;
const window = await signedIn(browser, system, 'CLINICIAN');
const { page } = window;
const risk = page.locator('section.risk');

test('a job that is gone is told, and the patient can be scored', async () => {
  await window.open(`${place}?job=0123456789abcdef01234567`);
  await risk.getByRole('alert').waitFor();
  await page.getByRole('button', { name: 'Score now' }).click();
  await page.getByText(/^New score: [\d.]+%/).waitFor();
  expect(await risk.getByRole('alert').count()).toBe(0);
  expect(new URL(page.url()).search).toBe('');
  await window.checked();
});

test('another model is shown without the job and the compared scores of the one before', async () => {
  // One model is shipped. The page is given a second one.
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('PatientPageModels')) return route.continue();
    const response = await route.fetch();
    const { data } = (await response.json()) as { data: { riskModels: { id: string; modelId: string }[] } };
    const other = { ...data.riskModels[0]!, id: 'other@1.0.0', modelId: 'other', name: 'Another model' };
    await route.fulfill({ response, json: { data: { riskModels: [...data.riskModels, other] } } });
  });
  await window.open(place);
  await page
    .locator('section.history')
    .getByRole('radio', { name: /^Earlier/ })
    .last()
    .check();
  await expect.poll(() => page.url()).toContain('from=');
  await page.locator('article').getByRole('combobox', { name: 'Model', exact: true }).selectOption('Another model');
  await risk.getByRole('heading', { name: 'Risk: Another model' }).waitFor();
  expect(new URL(page.url()).search).toBe('?model=other');
  await page.unroute('**/graphql');
  await window.checked();
});
