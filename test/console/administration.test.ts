import { expect, test } from 'vitest';
import { apiKeyScopes as acceptedScopes } from '../../src/identity/api-keys/api-key-service.js';
import { apiKeyScopes } from '../../web/pages/administration/api-key-scopes.js';
import { signedIn, startBrowser } from '../support/console.js';
import { createUser, login, refresh } from '../support/identity.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ environment: { QUEUE_PAGE_ORGANIZATION: 'alpha' } });
const browser = await startBrowser();
const admin = await signedIn(browser, system, 'ADMIN');
const { page } = admin;
const row = (text: string) => page.getByRole('row').filter({ hasText: text });

test('an administrator begins with the users, and creates one', async () => {
  await page.getByRole('heading', { name: 'Administration', level: 1 }).waitFor();
  await row(admin.user.username).waitFor();
  await admin.checked();
  await page.getByRole('button', { name: 'New user' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Username/).fill('berta');
  await dialog.getByLabel('Role').selectOption('ANALYST');
  await dialog.getByLabel(/^First password/).fill('too short');
  await admin.checked();
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('12 to 128 characters').waitFor();
  await dialog.getByLabel(/^First password/).fill('quiet rivers under seven moons');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('berta is created').waitFor();

  await admin.checked();
});

test('the sessions of a user end at once, and the address keeps the user', async () => {
  const sessions = { ...admin.user, username: 'berta', password: 'quiet rivers under seven moons' };
  const { refreshToken } = await login(system, sessions);
  // By the keyboard alone: berta is the newest, and so the first row.
  await row('berta').waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'User berta' }).waitFor();
  expect(new URL(page.url()).searchParams.get('user')).toMatch(/^[\da-f]{24}$/);
  await admin.checked();
  await page.reload();
  const panel = page.getByRole('region', { name: 'User berta' });
  const other = await login(system, sessions);
  await page.reload();
  await panel.getByText('2 of 2 live sessions').waitFor();
  await panel.getByRole('cell', { name: '127.0.0.1' }).first().waitFor();
  await panel.getByRole('row').nth(1).getByRole('button', { name: 'End the session' }).click();
  await admin.checked();
  await panel.getByRole('dialog').getByRole('button', { name: 'End the session' }).click();
  await page.getByRole('status').getByText('A session of berta has ended').waitFor();
  await panel.getByText('1 of 1 live session,').waitFor();
  expect((await refresh(system, other.refreshToken)).errors).toBeDefined();
  await panel.getByRole('button', { name: 'End all sessions' }).click();
  await panel.getByRole('dialog').getByRole('button', { name: 'End all sessions' }).click();
  await page.getByRole('status').getByText('All sessions of berta have ended').waitFor();
  await panel.getByText('No live session').waitFor();
  expect((await refresh(system, refreshToken)).errors).toBeDefined();
});

test('a user gets another role and password, is disabled, and enabled again', async () => {
  const panel = page.getByRole('region', { name: 'User berta' });

  await panel.getByRole('combobox').selectOption('CLINICIAN');
  await panel.getByRole('button', { name: 'Change the role' }).click();
  await admin.checked();
  await panel.getByRole('dialog').getByRole('button', { name: 'Change the role' }).click();
  await row('berta').filter({ hasText: 'Clinician' }).waitFor();
  await panel.getByRole('button', { name: 'Set a password' }).click();
  await panel.getByLabel(/^New password/).fill('nine copper lanterns at noon');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('berta has a new password').waitFor();
  await login(system, { ...admin.user, username: 'berta', password: 'nine copper lanterns at noon' });
  await panel.getByRole('button', { name: 'Disable' }).click();
  await panel.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await row('berta').filter({ hasText: 'Disabled' }).waitFor();
  await panel.getByRole('button', { name: 'Enable' }).click();
  await row('berta').filter({ hasText: 'Enabled' }).waitFor();
  await admin.checked();
});

test('the API refuses what may not be, and the page says so in its words', async () => {
  await row(admin.user.username).click();
  const panel = page.getByRole('region', { name: `User ${admin.user.username}` });
  await panel.getByText('This session', { exact: true }).waitFor();
  await panel.getByRole('button', { name: 'Disable' }).click();
  await panel.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await panel.getByRole('alert').getByText('would be left without an enabled ADMIN').waitFor();
  await admin.checked();
});

test('an API key is shown once, works, and is revoked', async () => {
  expect(apiKeyScopes).toEqual(acceptedScopes);
  await page.getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Purpose/).fill('ward 7');
  await dialog.getByLabel('model:read').check();
  await admin.checked();
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const key = await page.getByLabel('Key', { exact: true }).inputValue();
  await admin.checked();
  expect((await system.post('{ riskModels { id } }', undefined, key)).errors).toBeUndefined();
  expect(page.url()).not.toContain(key);
  await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"))');
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.getByText('The browser did not copy it.').waitFor();
  await page.getByRole('button', { name: 'I have stored the key' }).click();
  await row('ward 7').getByText('Valid').waitFor();
  expect(await page.content()).not.toContain(key);
  await row('ward 7').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row('ward 7').getByText('Revoked').waitFor();
  expect((await system.post('{ riskModels { id } }', undefined, key)).errors).toBeDefined();
  await admin.checked();
});

test('the audit trail is filtered by its address, and a reload comes back to it', async () => {
  await page.getByRole('link', { name: 'Audit trail' }).click();
  await row('api-key:manage').first().waitFor();
  await page.getByRole('search').getByLabel('Action').fill('session:login');
  await page.getByRole('search').getByLabel('User').fill('ber');
  // A page that is drawn again while one types takes nothing away.
  const goTo = (query: string): Promise<unknown> =>
    page.evaluate(`history.replaceState(null, '', '${query}'); dispatchEvent(new PopStateEvent('popstate'))`);
  await goTo('?action=session%3Alogin&flagged=true');
  await expect.poll(() => page.getByLabel('Flagged for review').isChecked()).toBe(true);
  await goTo('?action=session%3Alogin');
  await expect.poll(() => page.getByLabel('Flagged for review').isChecked()).toBe(false);
  await page.keyboard.type('ta');
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).search).toBe('?action=session%3Alogin&by=berta');
  await expect.poll(() => page.locator('.grid-foot').innerText()).toBe('3 events');
  await admin.checked();
  await page.reload();
  await expect.poll(() => page.locator('.grid-foot').innerText()).toBe('3 events');
  await row('session:login').first().click();
  await page.getByRole('heading', { name: /^Event / }).waitFor();
  await admin.checked();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByLabel('Outcome').selectOption('DENIED');
  await expect.poll(() => new URL(page.url()).search).toBe('?outcome=DENIED');
});

test('a name in the place of a patient id stays out of the address', async () => {
  const box = page.getByRole('search').getByLabel('Patient id');
  await box.fill('Hopper');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('A patient id has 24 digits').waitFor();
  expect(page.url()).not.toContain('Hopper');
  await admin.checked();
  await box.fill('0123456789ABCDEF01234567');
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).searchParams.get('patient')).toBe('0123456789abcdef01234567');
  expect(await page.getByRole('alert').count()).toBe(0);
  await box.fill('MRN-1');
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).searchParams.get('patient')).toBeNull();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await expect.poll(() => box.inputValue()).toBe('');
});

test('the chain is verified from the page, and a change behind the back of the API is found', async () => {
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText('Whole and unchanged').waitFor();
  await admin.checked();
  const { collection } = system.app.models.auditEvents;
  const event = await collection.findOne({ username: 'berta' });
  await collection.updateOne({ _id: event!._id }, { $set: { username: 'bertha' } });
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText('Broken').waitFor();
  await page.getByText(`Event ${event!['sequence']}: was changed after it was written`).waitFor();
  await collection.updateOne({ _id: event!._id }, { $set: { username: 'berta' } });
  await admin.checked();
});

test('break-glass accesses are listed with their reasons', async () => {
  const reason = 'He collapsed on the ward, and his team is away.';
  const clinician = await system.token('CLINICIAN');
  const owner = await createUser(system, { role: 'CLINICIAN' });
  const created = await system.post<{ createPatient: { id: string } }>(
    'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
    { input: { mrn: 'BREAK-1', features: [], careTeam: [owner.username] } },
    (await login(system, owner)).accessToken,
  );
  const patientId = created.data!.createPatient.id;
  const opened = await system.post(
    'mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { id } }',
    { input: { patientId, reason } },
    clinician,
  );
  expect(opened.errors).toBeUndefined();
  await page.getByRole('link', { name: 'Break-glass accesses' }).click();
  await row(reason).waitFor();
  await admin.checked();
  await row(reason).getByRole('link', { name: 'Audit events' }).click();
  await row('patient:break-glass').waitFor();
  expect(page.url()).not.toContain('BREAK-1');
});

test('a new data key is made, and workers encrypt the data again', async () => {
  await page.getByRole('link', { name: 'Encryption keys' }).click();
  await page.getByRole('cell', { name: 'In use' }).first().waitFor();
  await admin.checked();
  await page.getByRole('button', { name: 'Make a new key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new key' }).click();
  await page
    .getByRole('status')
    .getByText(/^Done: [1-9]/)
    .waitFor();
  expect(await system.app.models.keyRotations.countDocuments({ unfinished: false })).toBe(1);
  await admin.checked();
});

test('the system shows health, workers and jobs, and the queues to the operators alone', async () => {
  await page.getByRole('link', { name: 'System' }).click();
  await page.getByText('Works').nth(3).waitFor();
  await page.getByText('No entry waits.').waitFor();
  await admin.checked();
  const { data } = await system.post<{ systemStatus: object }>(
    '{ systemStatus { workersAlive queues { kind } } }',
    undefined,
    await system.token('ADMIN', 'beta'),
  );
  expect(data!.systemStatus).toEqual({ workersAlive: expect.any(Number), queues: null });
});

test.each(['CLINICIAN', 'ANALYST', 'SERVICE'] as const)('%s is not offered the administration', async (role) => {
  const window = await signedIn(browser, system, role);
  expect(await window.page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
  await window.open('/administration/users');
  await window.page.getByRole('heading', { name: 'This page is not for your role' }).waitFor();
  await window.checked();
  await window.close();
});

test('it can be used on a small dark phone, in German', async () => {
  const window = await signedIn(browser, system, 'ADMIN', { width: 320, height: 700, locale: 'de-DE', dark: true });
  for (const [part, shown] of [
    ['Benutzer und Sitzungen', 'Passwort geändert'],
    ['API-Schlüssel', 'Beginnt mit'],
    ['Protokoll', 'Handlung'],
    ['Notfallzugriffe', 'Begründung'],
    ['Verschlüsselung', 'Schlüssel der Organisation'],
    ['System', 'Läuft'],
  ] as const) {
    await window.page.getByRole('link', { name: part }).click();
    await window.page.getByText(shown).first().waitFor();
    expect(await window.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), part).toBe(true);
    await window.checked();
  }
  await window.close();
});
