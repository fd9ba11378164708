/** Covers src/http/subscription-stream.ts, src/http/subscription-admission.ts, src/http/stream-format.ts. */
// Threat: a caller asks for streams of events until the server has no place, memory or time for others.

import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { changingJob, ruleBreaks } from '../support/changing-job.js';
import { seeded } from '../support/flaky-proxy.js';
import { connectSocket } from '../support/raw-socket.js';
import { startSystem, type System } from '../support/system.js';
import { multipartAccept } from '../support/transports.js';

const system = await startSystem({
  worker: false,
  environment: { SOCKETS_PER_USER: '3', SOCKETS_PER_NODE: '30', SUBSCRIPTIONS_PER_USER: '100' },
});
const token = await system.token('CLINICIAN');
const job = await changingJob(system);
const query = `subscription { scoringJobUpdated(id: "${job.id}") { sequence collapsed } }`;

/** Opens a stream, and reads it up to its first event or its end. */
async function open(
  of: System,
  options: { readonly token?: string; readonly query?: string; readonly accept?: string } = {},
): Promise<{ readonly text: string; close(): void }> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(`${of.url}/graphql`, {
    method: 'POST',
    headers: {
      accept: options.accept ?? 'text/event-stream',
      'content-type': 'application/json',
      ...(options.token && { authorization: `Bearer ${options.token}` }),
    },
    body: JSON.stringify({ query: options.query ?? query }),
    signal: controller.signal,
  });
  let text = '';
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  while (!/event: next|"payload"/.test(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return { text, close: () => controller.abort() };
}

async function running(of: System = system): Promise<number> {
  const text = await (await fetch(`${of.url}/metrics`)).text();
  return Number(/^riskgraph_subscriptions\{kind="scoringJobUpdated"\} (\d+)/m.exec(text)?.[1]);
}

// Shows: owasp/system-resources, owasp/authorization
test('callers without a token get one refusal each, and hold nothing', async () => {
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, index) => open(system, index % 2 ? {} : { accept: multipartAccept })),
  );
  for (const { text } of replies) expect(text).toContain('"code":"UNAUTHENTICATED"');
  expect(await running()).toBe(0);
});

// Shows: owasp/system-resources
test('streams and sockets of a user share their places, and other users keep theirs', async () => {
  await connectSocket(system.url, token);
  const streams = [await open(system, { token }), await open(system, { token, accept: multipartAccept })];
  for (const { text } of streams) expect(text).toContain('"sequence":2');
  const refused = await open(system, { token });
  expect(refused.text).toContain('"code":"RATE_LIMITED"');
  expect(refused.text).toContain('Too many sockets and streams of this user');
  const other = await open(system, { token: await system.token('SERVICE') });
  expect(other.text).toContain('"sequence":2');
  streams[0]!.close();
  await expect.poll(async () => (await open(system, { token })).text).toContain('"sequence":2');
});

// Shows: owasp/system-resources
test('subscriptions of a user are counted over sockets and streams alike', async () => {
  const capped = await startSystem({ worker: false, environment: { SUBSCRIPTIONS_PER_USER: '2' } });
  const followed = await changingJob(capped);
  const own = `subscription { scoringJobUpdated(id: "${followed.id}") { sequence } }`;
  const access = await capped.token('CLINICIAN');
  const socket = await connectSocket(capped.url, access);
  socket.send({ type: 'subscribe', id: '1', payload: { query: own } });
  expect(await socket.next()).toMatchObject({ type: 'next' });
  const stream = await open(capped, { token: access, query: own });
  expect(stream.text).toContain('"sequence":2');
  expect((await open(capped, { token: access, query: own })).text).toContain('This user has 2 subscriptions');
  stream.close();
  await expect.poll(() => running(capped)).toBe(1);
  expect((await open(capped, { token: access, query: own })).text).toContain('"sequence":2');
});

/** Asks for a stream of large events, and reads nothing. */
function askWithoutReading(of: System, access: string, jobId: string): Socket {
  const { hostname, port } = new URL(of.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  const figures = Array.from({ length: 25 }, (_, index) => `f${index}: importancePlot`).join(' ');
  const body = JSON.stringify({
    query: `subscription { scoringJobUpdated(id: "${jobId}") { sequence collapsed job { state model { ${figures} } } } }`,
  });
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n` +
      `authorization: Bearer ${access}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
}

// Shows: owasp/system-resources
test('a reader that stops for a while gets folded progress, and the server holds no queue for it', async () => {
  const slow = await changingJob(system);
  const socket = askWithoutReading(system, token, slow.id);
  await expect.poll(() => running()).toBeGreaterThan(0);
  // Changes that come close together are folded for everybody. So each one waits until another reader has it.
  const reader = await connectSocket(system.url, token);
  reader.send({
    type: 'subscribe',
    id: '1',
    payload: { query: `subscription { scoringJobUpdated(id: "${slow.id}") { sequence collapsed } }` },
  });
  await reader.next();
  let changes = 2;
  for (; changes < 60; changes += 1) {
    await slow.advance();
    const { payload } = await reader.next();
    expect(payload).toMatchObject({ data: { scoringJobUpdated: { sequence: changes + 1, collapsed: 0 } } });
  }
  await slow.complete();
  reader.close();
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  const events = [...text.matchAll(/"sequence":(\d+),"collapsed":(\d+)/g)].map(([, sequence, collapsed]) => ({
    sequence: Number(sequence),
    collapsed: Number(collapsed),
  }));
  expect(ruleBreaks(events)).toEqual([]);
  expect(events.length).toBeLessThan(changes);
  expect(events.at(-1)!.sequence).toBe(changes + 1);
});

// Shows: owasp/graceful-rejection
test('random requests for streams are answered in the form of the contract, and leave nothing behind', async () => {
  const random = seeded(20_26);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const queries = [
    query,
    'subscription',
    '{ viewer { username } }',
    '',
    null,
    7,
    `${query} ${query}`,
    'x'.repeat(9000),
  ];
  const variables = [undefined, null, [], {}, 'text', { id: { $ne: null } }, { after: -1 }, 1e308];
  for (let round = 0; round < 120; round += 1) {
    const isGet = random() < 0.3;
    const body = { query: pick(queries), variables: pick(variables), operationName: pick([undefined, 'x', 5, null]) };
    const parameters = new URLSearchParams(
      Object.entries(body).map(([name, value]): [string, string] => [
        name,
        typeof value === 'string' ? value : String(JSON.stringify(value)),
      ]),
    );
    const controller = new AbortController();
    const response = await fetch(`${system.url}/graphql${isGet ? `?${parameters.toString()}` : ''}`, {
      method: isGet ? 'GET' : 'POST',
      headers: {
        accept: pick([
          'text/event-stream',
          multipartAccept,
          'text/event-stream;q=0, */*',
          'multipart/mixed;subscriptionSpec=1.0',
        ]),
        ...(isGet ? {} : { 'content-type': pick(['application/json', 'application/json', 'text/plain']) }),
        authorization: pick([`Bearer ${token}`, 'Bearer x', 'Basic eDp5', '']),
        'last-event-id': pick(['', '0', '2', '-1', '99999999999999999999', 'x', '1e3']),
      },
      body: isGet ? undefined : pick([JSON.stringify(body), JSON.stringify([body]), '{', 'null', '"text"', '']),
      signal: controller.signal,
    });
    expect([200, 400, 406, 415]).toContain(response.status);
    const reader = response.body!.getReader();
    const first = await reader.read();
    const second = first.done ? first : await reader.read();
    const text = Buffer.concat([first.value ?? new Uint8Array(), second.value ?? new Uint8Array()]).toString();
    expect(text).not.toContain('"INTERNAL"');
    controller.abort();
  }
  await expect.poll(() => running()).toBe(0);
  expect((await fetch(`${system.url}/health/live`)).status).toBe(200);
});

// Shows: owasp/system-resources
test('a reader that reads nothing for two heartbeats is disconnected', async () => {
  await expect.poll(() => running()).toBe(0);
  const unread = await changingJob(system);
  askWithoutReading(system, token, unread.id);
  await expect.poll(() => running()).toBe(1);
  for (let change = 0; change < 60; change += 1) await unread.restart();
  await expect.poll(() => running(), { timeout: 60_000 }).toBe(0);
}, 120_000);
