/** Covers src/http/queues/queue-page.ts, src/http/queues/queue-cookie.ts, src/http/queues/board.ts. */
// Threat: a caller sees or changes the queues of the deployment without being one of its operators, or a page of another
// site does so with the operator's browser.

import { Queue } from 'bullmq';
import { afterAll, describe, expect, test } from 'vitest';
import { ensureOrganization } from '../../src/identity/organizations.js';
import { asAdmin, createUser, goodPassword, listenToAudit, updateUserMutation } from '../support/identity.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false, environment: { QUEUE_PAGE_ORGANIZATION: 'operators' } });
const off = await startSystem({ worker: false });
await ensureOrganization(system.app.models, 'operators');
const operator = await system.token('ADMIN', 'operators');
const audit = listenToAudit(system);
const connection = system.app.connectRedis('failing-fast');
const queue = new Queue('scoring-single', {
  connection,
  prefix: system.app.config.redisPrefix,
  skipVersionCheck: true,
});
afterAll(async () => {
  await queue.close();
  connection.disconnect();
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${system.url}${path}`, { redirect: 'manual', ...init });
const as = (token: string, path: string, init: RequestInit = {}): Promise<Response> =>
  ask(path, { ...init, headers: { ...(init.headers as object), authorization: `Bearer ${token}` } });

const ownPage = { 'sec-fetch-site': 'same-origin' };
const signIn = (form: Record<string, string>, headers: Record<string, string> = ownPage): Promise<Response> =>
  ask('/queues/sign-in', { method: 'POST', body: new URLSearchParams(form), headers });
/** The cookie of an operator, as a browser sends it. */
const cookieOf = (response: Response): string => response.headers.get('set-cookie')!.split(';')[0]!;

test('the page does not exist where no organization is named', async () => {
  for (const path of [
    '/queues',
    '/queues/control',
    '/queues/',
    '/queues/sign-in',
    '/queues/api/queues',
    '/queues/static/favicon.ico',
  ])
    expect((await fetch(`${off.url}${path}`)).status).toBe(404);
});

test('the address without its last slash leads to the page, for browsers and programs', async () => {
  for (const path of ['/queues', '/queues/control'])
    for (const accept of ['text/html', '*/*']) {
      const response = await ask(path, { headers: { accept } });
      expect([path, response.status, response.headers.get('location')]).toEqual([path, 303, `${path}/`]);
    }
});

// Shows: owasp/authorization
test.each<[string, number, () => Promise<string> | string]>([
  ['without a credential', 401, () => ''],
  ['with a token that is none', 401, () => 'garbage'],
  ['as ADMIN of another organization', 403, () => system.token('ADMIN', 'alpha')],
  ['as CLINICIAN of the operators', 403, () => system.token('CLINICIAN', 'operators')],
  ['as SERVICE of the operators', 403, () => system.token('SERVICE', 'operators')],
])('a caller %s gets neither page, data nor files', async (_who, status, token) => {
  const given = await token();
  const headers: Record<string, string> = given ? { authorization: `Bearer ${given}` } : {};
  for (const path of ['/queues/api/queues', '/queues/static/favicon.ico', '/queues/control/api/queues', '/queues/']) {
    const response = await ask(path, { headers });
    expect([path, response.status]).toEqual([path, status]);
    expect(await response.text()).not.toContain('scoring-single');
  }
});

test('a refusal is on record, and a browser without a credential is led to the sign-in', async () => {
  audit.events.length = 0;
  await as(await system.token('ADMIN', 'alpha'), '/queues/api/queues');
  expect(audit.events).toMatchObject([{ action: 'queue:read', outcome: 'DENIED' }]);
  const page = await ask('/queues/', { headers: { accept: 'text/html' } });
  expect([page.status, page.headers.get('location')]).toEqual([303, '/queues/sign-in']);
});

test('an operator sees the entries of all organizations: ids and numbers, and nothing of a foreign entry', async () => {
  const client = await system.client('CLINICIAN', 'alpha');
  const { id } = await submit(client, { patientId: (await patient(client)).id });
  const opts = { priority: 6, jobId: 'foreign-1' };
  await queue.add('single', { mrn: 'Canarymrn-1' }, opts);
  const response = await as(operator, '/queues/api/queues?activeQueue=scoring-single&status=prioritized&page=1');
  const text = await response.text();
  const { queues } = JSON.parse(text) as {
    queues: { name: string; jobs: { data: unknown }[]; readOnlyMode: boolean }[];
  };
  expect(queues.map(({ name }) => name)).toEqual(['scoring-single', 'scoring-chunk']);
  const [shown] = queues;
  expect(shown!.readOnlyMode).toBe(true);
  expect(shown!.jobs.map(({ data }) => data)).toEqual(
    expect.arrayContaining([{ kind: 'single', scoringJobId: id, dispatch: 1 }, 'not an entry of this release']),
  );
  expect(text).not.toContain('Canary');
});

describe('a browser', () => {
  test('signs in with a password, and gets a cookie that scripts, other sites and other paths do not get', async () => {
    // An organization keeps one ADMIN.
    const [user] = await Promise.all(
      [1, 2].map(() => createUser(system, { role: 'ADMIN', organization: 'operators' })),
    );
    const response = await signIn({ username: user!.username, password: goodPassword });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/queues/']);
    expect(response.headers.get('set-cookie')).toMatch(
      /^riskgraph_queues=read\.[\w.-]+; Path=\/queues; Max-Age=\d{2,3}; HttpOnly; SameSite=Strict$/,
    );
    // Its session ends with the cookie: the browser holds nothing that could renew it.
    const [session] = await system.app.models.sessions.find({ user: user!.id }).lean();
    expect(session!.expiresAt.getTime()).toBeLessThanOrEqual(
      Date.now() + system.app.config.accessTokenMinutes * 60_000,
    );
    const cookie = cookieOf(response);
    const page = await ask('/queues/', { headers: { cookie, accept: 'text/html' } });
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/);
    expect((await page.text()).match(/(?:href|src)="https?:/g)).toBeNull();
    // The API reads no cookie.
    const query = await ask('/graphql?query={viewer{role}}', { headers: { cookie, 'apollo-require-preflight': '1' } });
    expect(await query.text()).toContain('UNAUTHENTICATED');
    // The end of the session ends the page.
    const disable = { input: { id: user!.id, disabled: true } };
    await asAdmin(system, updateUserMutation, disable, 'operators');
    expect((await ask('/queues/api/queues', { headers: { cookie } })).status).toBe(401);
  });

  test.each<[string, Record<string, string>, string]>([
    ['a wrong password', { username: 'nobody-here', password: 'wrong' }, 'password'],
    ['a token that is none', { token: 'garbage' }, 'not valid'],
  ])('with %s gets no cookie, and the reason', async (_what, form, reason) => {
    const response = await signIn(form);
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
    expect(await response.text()).toContain(reason);
  });

  test('that an ADMIN of another organization, or another site, signs in gets no cookie', async () => {
    for (const [token, headers] of [
      [await system.token('ADMIN', 'alpha'), ownPage],
      [operator, { 'sec-fetch-site': 'cross-site' }],
      [operator, {}],
      [operator, { origin: 'https://evil.example' }],
    ] as const) {
      const response = await signIn({ token }, headers);
      expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
    }
    expect(audit.events).toContainEqual(expect.objectContaining({ action: 'queue:read', outcome: 'DENIED' }));
  });
});

describe('the queues', () => {
  const put = (cookie: string, path: string, headers: Record<string, string> = ownPage, method = 'PUT') =>
    ask(path, { method, headers: { cookie, ...headers } });

  // Shows: owasp/cross-site-requests
  test('are changed by an ADMIN who asked for it, from our own page alone, and each change is on record', async () => {
    const reading = cookieOf(await signIn({ token: operator }));
    const changing = cookieOf(await signIn({ token: operator, control: 'yes' }));
    expect(changing).toMatch(/^riskgraph_queues=control\./);
    audit.events.length = 0;
    for (const [cookie, path, headers] of [
      [reading, '/queues/api/queues/scoring-single/pause', ownPage],
      [reading, '/queues/control/api/queues/scoring-single/pause', ownPage],
      [changing, '/queues/api/queues/scoring-single/pause', ownPage],
      [changing, '/queues/control/api/queues/scoring-single/pause', { 'sec-fetch-site': 'cross-site' }],
      [changing, '/queues/control/api/queues/scoring-single/pause', {}],
    ] as const)
      expect([path, (await put(cookie, path, headers)).status]).toEqual([path, 403]);
    expect(
      (await as(operator, '/queues/control/api/queues/scoring-single/pause', { method: 'PUT', headers: ownPage }))
        .status,
    ).toBe(403);
    expect(await queue.isPaused()).toBe(false);
    expect(audit.events.every(({ outcome }) => outcome === 'DENIED')).toBe(true);

    audit.events.length = 0;
    expect((await put(changing, '/queues/control/api/queues/scoring-single/pause')).status).toBe(200);
    expect(await queue.isPaused()).toBe(true);
    expect((await put(changing, '/queues/control/api/queues/scoring-single/resume')).status).toBe(200);
    expect(await queue.isPaused()).toBe(false);
    const allowed = { action: 'queue:control', outcome: 'ALLOWED' };
    expect(audit.events).toMatchObject([
      { ...allowed, subject: { kind: 'QUEUE', id: 'scoring-single/pause' } },
      { ...allowed, subject: { kind: 'QUEUE', id: 'scoring-single/resume' } },
    ]);
  });

  test('put no text of a path on record', async () => {
    const changing = cookieOf(await signIn({ token: operator, control: 'yes' }));
    const id = `${'0a'.repeat(12)}-1`;
    audit.events.length = 0;
    for (const path of [`scoring-chunk/${id}/promote`, 'scoring-single/Canarymrn-1/retry', 'Canarymrn-2/clean/failed'])
      await put(changing, `/queues/control/api/queues/${path}`);
    expect(audit.events.map(({ subject }) => subject?.id)).toEqual([
      `scoring-chunk/${id}/promote`,
      'scoring-single/?/retry',
      '?/clean/failed',
    ]);
  });

  test('get no entry and no text from the page: adding and editing are refused', async () => {
    const changing = cookieOf(await signIn({ token: operator, control: 'yes' }));
    const before = await queue.getJobCounts();
    for (const [method, path] of [
      ['POST', '/queues/control/api/queues/scoring-single/add'],
      ['PATCH', '/queues/control/api/queues/scoring-single/foreign-1/update-data'],
      ['POST', '/queues/api/queues/scoring-single/add'],
    ] as const) {
      const headers = { ...ownPage, 'content-type': 'application/json', cookie: changing };
      const response = await ask(path, { method, headers, body: '{"name":"single","data":{"mrn":"Canarymrn-2"}}' });
      expect([path, response.status]).toEqual([path, 403]);
    }
    expect(await queue.getJobCounts()).toEqual(before);
  });
});
