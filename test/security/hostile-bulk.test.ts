/** Covers src/http/bulk/bulk-places.ts, src/http/bulk/cohort-route.ts, src/http/bulk/results-route.ts. */
// Threat: a caller keeps the doors for many patients busy, so that others find no place, or reads on after the end of a
// credential.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { Types } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';
import { Role } from '../../models/index.js';
import { createAnswerBytes } from '../../src/http/answer-bytes.js';
import { createBulkPlaces } from '../../src/http/bulk/bulk-places.js';
import { createResultsRoute } from '../../src/http/bulk/results-route.js';
import { identifyCaller } from '../../src/http/operation-context.js';
import type { BatchResult } from '../../src/jobs/batch-results.js';
import { cohortDoors, csv } from '../support/cohorts.js';
import { modelId } from '../support/heart-disease.js';
import { asAdmin, createUser, login } from '../support/identity.js';
import { ended } from '../support/scenario.js';

const { system, token, client, send } = await cohortDoors();
const { hostname, port } = new URL(system.url);

function tokenOf(username: string, slug: string, role = Role.CLINICIAN): Promise<string> {
  return system.organizationId(slug).then((organizationId) =>
    // No user of the organization needs to exist for a token that is signed here.
    system.app.accessTokens.sign({ username, role, organizationId }, 3_600),
  );
}

/** A connection that has sent bytes. `answer` is what came back so far. */
function opened(bytes: string): { readonly socket: Socket; readonly answer: () => string } {
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('error', () => undefined).on('data', (data: Buffer) => (answer += data.toString('latin1')));
  socket.write(bytes);
  return { socket, answer: () => answer };
}

/** Begins a cohort whose body never ends. */
const endless = (access: string) =>
  opened(
    `POST /cohorts?modelId=${modelId} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${access}\r\n` +
      'Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmrn,\r\n',
  );

// Shows: owasp/system-resources, owasp/authorization
test.each([Role.ANALYST, Role.ADMIN])(
  'a %s, who may send no cohorts, is refused before the body arrives',
  async (role) => {
    const { socket, answer } = endless(await tokenOf('reader', 'alpha', role));
    await once(socket, 'close');
    expect(answer()).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer()).toContain('"code":"FORBIDDEN"');
  },
);

// Shows: owasp/system-resources
test('an organization cannot take all places for cohorts', async () => {
  const users = ['one', 'two', 'three', 'four'];
  const held = await Promise.all(
    users.flatMap((user) => [0, 1].map(async () => endless(await tokenOf(user, 'crowd')))),
  );
  const refused = () => held.filter(({ answer }) => answer().startsWith('HTTP/1.1 429'));
  await expect.poll(() => refused().length).toBe(5);
  expect(refused()[0]!.answer()).toContain('This organization has 3 cohorts under way');
  expect((await send(csv('OTHER', 1))).status).toBe(202);
});

// Shows: owasp/system-resources
test('HEAD reads no results', async () => {
  const { jobId } = await send(csv('HEAD', 1));
  await ended(client, jobId!);
  const { status } = await fetch(`${system.url}/jobs/${jobId!}/predictions.ndjson`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  });
  expect(status).toBe(404);
});

/** Results without an end. */
async function* endlessResults(): AsyncGenerator<BatchResult[]> {
  for (let row = 1; ; row += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    yield [{ row, patient: new Types.ObjectId(), outcome: { failure: { code: 'BAD_USER_INPUT', message: 'none' } } }];
  }
}

// Shows: 164.312(a)(2)(iii)
test('a stream of results ends with the credential of its reader, however slow the reader is', async () => {
  const user = await createUser(system, { role: Role.CLINICIAN });
  const { accessToken } = await login(system, user);
  const door = fastify();
  onTestFinished(() => door.close());
  door.decorateRequest('caller', null);
  door.addHook('onRequest', async (request) => {
    request.caller = await identifyCaller(system.app, request.headers.authorization, {
      requestId: 'endless',
      address: '127.0.0.1',
    });
  });
  door.get(
    '/jobs/:id/predictions.ndjson',
    createResultsRoute({
      app: { identity: system.app.identity, readBatchResults: async () => endlessResults() },
      featuresOf: () => new Map(),
      places: createBulkPlaces('streams of results', { perUser: 1, perOrganization: 1, perNode: 1 }),
      bytes: createAnswerBytes({ waitingPerUser: Infinity, waitingPerNode: Infinity }),
    }),
  );
  const url = await door.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /jobs/x/predictions.ndjson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  const closed = once(socket, 'close');
  await asAdmin(system, 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }', { id: user.id });
  socket.resume();
  await closed;
});
