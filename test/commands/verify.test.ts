import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/run-command.js';
import { startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem();
const token = await system.token('CLINICIAN');
const verify = (environment: Record<string, string>, input: string, ...given: readonly string[]) =>
  runCommand(['verify', '--url', system.url, ...given], environment, input);

test.each<[string, Record<string, string>, string, string[]]>([
  ['from RISKGRAPH_TOKEN', { RISKGRAPH_TOKEN: token }, '', []],
  ['from standard input', {}, `${token}\n`, ['--token', '-']],
  ['as an argument, which wins', { RISKGRAPH_TOKEN: 'another' }, '', ['--token', token]],
])('verify accepts the token %s', async (_name, environment, input, given) => {
  const { code, output, errors } = await verify(environment, input, ...given);
  expect(errors).toBe('');
  expect(output).toContain('ok   access token: CLINICIAN of alpha\n');
  expect(code).toBe(0);
});

/** A proxy that passes everything on but health and metrics, as the documents ask. @returns its URL */
async function hidingProxy(): Promise<string> {
  const to = new URL(system.url);
  const server = createServer((incoming, outgoing) => {
    if (/^\/(health|metrics)/.test(incoming.url!)) return void outgoing.writeHead(404).end('<html>not here</html>');
    const { method, url: path, headers } = incoming;
    const passed = request({ host: to.hostname, port: to.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  server.on('upgrade', (incoming, socket: Socket) => {
    const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const passed = connect(Number(to.port), to.hostname, () => {
      passed.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      passed.pipe(socket).pipe(passed);
    });
    for (const end of [passed, socket]) end.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('verify works where health is not published, and checks it from inside', async () => {
  const outside = await hidingProxy();
  const environment = { RISKGRAPH_TOKEN: token };
  const alone = await runCommand(['verify', '--url', outside], environment);
  expect(alone).toMatchObject({ code: 0, errors: '' });
  expect(alone.output).toContain('ok   GET /health: not published at this address (status 404): check it from inside');
  const both = await runCommand(['verify', '--url', outside, '--health-url', system.url], environment);
  expect(both).toMatchObject({ code: 0, errors: '' });
  expect(both.output).toContain(
    'ok   GET /health inside: status 200, mongodb up, redis up, riskModels up, workers up\n',
  );
  expect(both.output).toContain('ok   /metrics is not published: status 404\n');
  const published = await runCommand(['verify', '--url', system.url, '--health-url', `${outside}/`], environment);
  expect(published.code).toBe(1);
  expect(published.output).toContain('FAIL GET /health inside: status 404, and no health check: name an address');
  expect(published.output).toContain('FAIL /metrics is not published: every caller can read it');
});

test('verify fails, and says so, when no worker is alive', async () => {
  const idle = await startSystem({ worker: false });
  const verified = await runCommand(['verify', '--url', idle.url], { RISKGRAPH_TOKEN: await idle.token('CLINICIAN') });
  expect(verified.code).toBe(1);
  expect(verified.output).toContain('FAIL GET /health: status 503: No worker is alive, so accepted jobs wait');
});

test.each<[string, string[]]>([
  ['no token at all', []],
  ['an empty standard input', ['--token', '-']],
])('verify refuses %s in one line that says how to give one', async (_name, given) => {
  const { code, output, errors } = await verify({}, '', ...given);
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^error: No access token was given: [^\n]*RISKGRAPH_TOKEN[^\n]*--token -[^\n]*\n$/);
});

test('score accepts the token in the same ways', async () => {
  const folder = await temporaryDirectory();
  const [file, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  await writeFile(file, 'mrn,age,sex,chest_pain_type\nTOKEN-1,63,1,4\n');
  const { secretKey, mongoUri, redisUrl } = system.app.config;
  const environment = { SECRET_KEY: secretKey, MONGO_URI: mongoUri, REDIS_URL: redisUrl };
  const score = (extra: Record<string, string>, input: string, ...given: readonly string[]) =>
    runCommand(['score', file, '--out', out, '--url', system.url, ...given], { ...environment, ...extra }, input);
  expect(await score({}, `${token}\n`, '--token', '-')).toMatchObject({
    code: 0,
    output: `1 patients scored, 0 failed: ${out}\n`,
  });
  expect(await score({ RISKGRAPH_TOKEN: token }, '')).toMatchObject({ code: 0 });
});
