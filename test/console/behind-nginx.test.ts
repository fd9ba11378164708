import { onTestFinished, test } from 'vitest';
import { startWorkers } from '../../workers/index.js';
import { openConsole, startBrowser } from '../support/console.js';
import { createUser } from '../support/identity.js';
import { nginxName, startNginx } from '../support/nginx.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { urlOf } from '../support/through-nginx.js';

const system = await startSystem({ worker: false, environment: { TRUST_PROXY: 'loopback' } });
const nginx = await startNginx([system.url]);
const browser = await startBrowser([
  `--host-resolver-rules=MAP ${nginxName} 127.0.0.1`,
  // The authority of the test is unknown to Chromium.
  '--ignore-certificate-errors',
]);

test('a person signs in through the shipped nginx, goes to every page, and sees a job end live', async () => {
  const clinician = await system.client('CLINICIAN');
  const { id } = await submit(clinician, { patientId: (await patient(clinician)).id });
  const shown = await openConsole(browser, { url: urlOf(nginx) });
  await shown.signIn(await createUser(system));
  for (const path of ['/cohorts', '/models', '/jobs', `/jobs/${id}`]) await shown.open(path);
  await shown.page.getByRole('button', { name: 'Cancel the job' }).waitFor();
  const workers = await startWorkers(system.app);
  onTestFinished(() => workers.close());
  await shown.page.getByRole('table').getByText('Completed').waitFor();
  await shown.page.reload();
  await shown.page.getByRole('table').getByText('Completed').waitFor();
  await shown.checked();
  await shown.close();
});
