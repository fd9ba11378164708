import { once } from 'node:events';
import { connect } from 'node:net';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/process/logger.js';
import { cohortDoors, csv, header } from '../support/cohorts.js';
import { modelId } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const { system, token, send } = await cohortDoors();

describe('a hostile cohort', () => {
  test.each<[string, RequestInit & { query?: string }, number, string]>([
    [
      'is compressed',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync(csv('GZIP', 1)) },
      400,
      'content-encoding',
    ],
    [
      'is JSON',
      { headers: { 'content-type': 'application/json' }, body: '{"query":"{ viewer { role } }"}' },
      400,
      'content-type',
    ],
    ['is a form', { headers: { 'content-type': 'text/plain' }, body: csv('FORM', 1) }, 400, 'content-type'],
    [
      'says that it is Latin-1',
      { headers: { 'content-type': 'text/csv; charset=ISO-8859-1' }, body: csv('CHARSET', 1) },
      400,
      'content-type: names another charset than utf-8',
    ],
    ['has a line without an end', { body: `${header}\n${'x'.repeat(1024 * 1024)}` }, 400, 'lines[2]'],
    ['has too many lines', { body: csv('MANY', 3_001) }, 400, 'more than 3000 patients'],
    ['is too large', { body: 'x'.repeat(3 * 1024 * 1024) }, 413, 'larger than 2097152 bytes'],
  ])('that %s is refused, and nothing is stored', async (_name, { headers, body }, status, message) => {
    const before = await system.counts();
    const answer = await send(body!, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    expect(answer.errors![0]!.message).toContain(message);
    expect(await system.counts()).toEqual(before);
  });

  test('is refused for its caller before all else: first the credential, then the permission', async () => {
    const analyst = await system.token('ANALYST');
    const wrong = { headers: { 'content-type': 'application/json' }, query: '&priority=x' };
    const codes = [];
    for (const as of ['', 'no.token', analyst, token]) {
      const { status, errors } = await send('{}', { ...wrong, as });
      codes.push([status, errors![0]!.extensions!.code]);
    }
    expect(codes).toEqual([
      [401, 'UNAUTHENTICATED'],
      [401, 'UNAUTHENTICATED'],
      [403, 'FORBIDDEN'],
      [400, 'BAD_USER_INPUT'],
    ]);
  });

  test('without end is cut off at the most bytes, and leaves no file', async () => {
    const before = await system.counts();
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield Buffer.from(`A-${sent},1\n`.repeat(1_000));
        sent += 1;
      }
    }
    const body = ReadableStream.from(endless());
    const outcome = await fetch(`${system.url}/cohorts?modelId=${modelId}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${token}` },
      body,
      duplex: 'half',
    } as RequestInit).then(
      ({ status }) => status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(outcome);
    expect(await system.counts()).toEqual(before);
    expect(readdirSync(tmpdir()).filter((name) => /^riskgraph-[0-9a-f]{8}-/.test(name))).toEqual([]);
  });

  test('of a caller without a credential is refused before its body is read', async () => {
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(
      'POST /cohorts?modelId=x HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  test('whose client leaves in its middle is not taken for an outage of the database', async () => {
    const logLines: string[] = [];
    const logger = Object.assign(createLogger('warn', 'test'), {
      [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
    });
    const heard = await startSystem({ logger });
    const socket = connect(Number(new URL(heard.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /cohorts?modelId=${modelId} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer ` +
        `${await heard.token('CLINICIAN')}\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nmrn\r\n`,
    );
    await once(socket, 'data');
    socket.destroy();
    await expect
      .poll(async () => (await fetch(`${heard.url}/metrics`)).text())
      .toMatch(/code="SERVICE_UNAVAILABLE"[^\n]*\} 1$/m);
    expect(logLines.join('')).not.toContain('database away');
  });

  test('does not take more places than a user has, and gives them back', async () => {
    const held = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(Number(new URL(system.url).port), '127.0.0.1', () => {
              socket.write(
                `POST /cohorts?modelId=${modelId} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
                  'Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nmrn\r\n',
              );
              resolve(socket);
            });
            socket.on('error', () => undefined);
          }),
      ),
    );
    await expect.poll(async () => (await send(csv('PLACE', 1))).status).toBe(429);
    held.forEach((socket) => socket.destroy());
    await expect.poll(async () => (await send(csv('PLACE', 1))).status).toBe(202);
  });
});
