import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import { consoleAddresses, readConsole } from '../../src/http/console-pages.js';
import { changingJob } from '../support/changing-job.js';
import { createUser, credentialOf } from '../support/identity.js';
import { freePort } from '../support/free-port.js';
import { checkNginx, nginxName, prepareNginx, startNginx } from '../support/nginx.js';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { secureCaller, secureClient, tlsOptions, urlOf } from '../support/through-nginx.js';

const system = await startSystem({ worker: false, environment: { TRUST_PROXY: 'loopback' } });
const nginx = await startNginx([system.url]);
const call = secureCaller(nginx, 4);
const authorization = `Bearer ${await system.token('CLINICIAN')}`;
const json = { 'content-type': 'application/json' };
const ask = (query: string, headers: Record<string, string> = {}) =>
  call('/graphql', {
    method: 'POST',
    headers: { ...json, authorization, ...headers },
    body: JSON.stringify({ query }),
  });

/** Number of connections that a port of this machine has: established ones, by the kernel's table. */
async function connectionsAt(port: number): Promise<number> {
  const place = port.toString(16).toUpperCase().padStart(4, '0');
  const table = await readFile('/proc/net/tcp', 'utf8');
  return table.split('\n').filter((line) => new RegExp(`^ *\\d+: \\w+:${place} \\w+:\\w+ 01 `).test(line)).length;
}

test('nginx accepts the shipped configuration without a warning', async () => {
  expect(await checkNginx(await prepareNginx(['http://127.0.0.1:4000', 'http://127.0.0.1:4001']))).toMatch(
    /^nginx: the configuration file \S+ syntax is ok\nnginx: configuration file \S+ test is successful\n$/,
  );
});

test('a query over HTTP/2 is answered, with each security header once', async () => {
  const session = connectHttp2(urlOf(nginx), tlsOptions(nginx));
  onTestFinished(() => session.close());
  const stream = session.request({ ':path': '/graphql', ':method': 'POST', authorization, ...json });
  stream.end('{"query":"{ viewer { username } }"}');
  const [headers] = (await once(stream, 'response')) as [Record<string, string | string[]>];
  let body = '';
  for await (const part of stream) body += String(part);
  expect(body).toContain('{"data":{"viewer":{"username":"the-clinician"}}');
  expect(headers).toMatchObject({
    ':status': 200,
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    server: 'nginx',
  });
});

test.each(['/health', '/health/ready', '/health/live', '/metrics', '/graphiql', '/queues', '/queues/', '/signin'])(
  '%s is not published',
  async (path) => {
    const { status, body, headers } = await call(path);
    expect([status, codeOf(body), headers['content-security-policy']]).toEqual([404, 'NOT_FOUND', undefined]);
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
  },
);

test('a browser gets every page of the console, its files and its facts', async () => {
  const page = await call('/', { headers: { accept: 'text/html' } });
  expect(page.body).toMatch(/<script type="module"[^>]* src="\/assets\//);
  for (const address of consoleAddresses) {
    const path = address.replace(':id', 'abc');
    const { status, body, headers } = await call(path, { headers: { accept: 'text/html' } });
    expect([path, status, body]).toEqual([path, 200, page.body]);
    expect(headers['content-security-policy']).toContain(`wss://${nginxName}:${nginx.port}`);
  }
  for (const name of (await readConsole())!.assets.keys()) {
    const { status, headers } = await call(`/assets/${name}`);
    expect([name, status, headers['cache-control']]).toEqual([name, 200, 'public, max-age=31536000, immutable']);
  }
  const facts = await call('/console.json');
  expect([facts.status, JSON.parse(facts.body)]).toEqual([200, expect.objectContaining({ explorer: true })]);
});

test('a person signs in to the console, renews the session and signs out', async () => {
  const own = { 'x-riskgraph-console': '1', 'sec-fetch-site': 'same-origin' };
  const body = JSON.stringify(credentialOf(await createUser(system)));
  const login = await call('/session', { method: 'POST', headers: { ...own, ...json }, body });
  const [cookie] = login.headers['set-cookie'] as string[];
  expect([login.status, cookie]).toEqual([200, expect.stringMatching(/; Secure/)]);
  const headers = { ...own, cookie: cookie!.split(';')[0]! };
  const renewed = await call('/session/refresh', { method: 'POST', headers });
  expect([renewed.status, renewed.headers['set-cookie']]).toEqual([200, [expect.stringMatching(/; Secure/)]]);
  expect((await call('/session', { method: 'DELETE', headers })).status).toBe(200);
});

test('an operator who publishes the queue page reaches it through nginx', async () => {
  const own = await startSystem({
    worker: false,
    environment: { TRUST_PROXY: 'loopback', QUEUE_PAGE_ORGANIZATION: 'operators' },
  });
  const queues = secureCaller(await startNginx([own.url], { '# location ~ ^/queues': 'location ~ ^/queues' }), 1);
  const first = await queues('/queues', { headers: { accept: 'text/html' } });
  expect([first.status, first.headers.location]).toEqual([303, '/queues/']);
  const second = await queues('/queues/', { headers: { accept: 'text/html' } });
  expect([second.status, second.headers.location]).toEqual([303, '/queues/sign-in']);
  expect((await queues('/queues/sign-in')).body).toContain('<h1>Queues</h1>');
});

test('each error of nginx itself has an id, which is in its access log and in its header', async () => {
  const broken = async (request: string): Promise<string> => {
    const socket = connectTls({ port: nginx.port, host: '127.0.0.1', ...tlsOptions(nginx) });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    socket.write(request);
    let text = '';
    for await (const part of socket) {
      text += String(part);
      // nginx waits for the rest of a body that it refused.
      if (text.endsWith(']}')) break;
    }
    return text;
  };
  const host = `Host: ${nginxName}\r\nConnection: close\r\n`;
  const tooLarge = `Content-Length: ${4 * 1024 * 1024 + 1}\r\n`;
  for (const [status, code, request] of [
    [400, 'BAD_USER_INPUT', 'GET /graphql HTTP/9\r\n\r\n'],
    [400, 'BAD_USER_INPUT', `GET /graphql HTTP/1.1\r\n${host}Host: twice\r\n\r\n`],
    [400, 'BAD_USER_INPUT', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`],
    [400, 'BAD_USER_INPUT', `GET / HTTP/1.1\r\n${host}Cookie: ${'a'.repeat(20_000)}\r\n\r\n`],
    [404, 'NOT_FOUND', `GET /elsewhere HTTP/1.1\r\n${host}\r\n`],
    [400, 'BAD_USER_INPUT', `TRACE /graphql HTTP/1.1\r\n${host}\r\n`],
    [413, 'BAD_USER_INPUT', `POST /graphql HTTP/1.1\r\n${host}${tooLarge}\r\n`],
  ] as const) {
    const [head, body] = (await broken(request)).split('\r\n\r\n') as [string, string];
    expect([request.slice(0, 30), head.split(' ')[1], body && codeOf(body)]).toEqual([
      request.slice(0, 30),
      String(status),
      code,
    ]);
    const { requestId } = (JSON.parse(body) as { errors: [{ extensions: { requestId: string } }] }).errors[0]
      .extensions;
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(head).toContain(`X-Request-ID: ${requestId}\r\n`);
    expect(head).toContain('Strict-Transport-Security: ');
    await expect.poll(() => nginx.log()).toContain(`"requestId":"${requestId}"`);
  }
});

test('the API sees the address of the caller, and not the one that the caller claims', async () => {
  const client = await system.client('CLINICIAN');
  const { id } = await patient(client);
  const { headers } = await ask(`{ patient(id: "${id}") { mrn } }`, { 'x-forwarded-for': '192.0.2.7' });
  await expect
    .poll(() => system.app.models.auditEvents.findOne({ requestId: headers['x-request-id'] }).lean())
    .toMatchObject({ address: '127.0.0.1' });
});

test('neither log of nginx holds the query of a request', async () => {
  const answer = await call(
    `/graphql?query=${encodeURIComponent('{ patients(filter: {mrn: "MRN-SEEN"}) { totalCount } }')}`,
    {
      headers: { authorization, 'apollo-require-preflight': 'yes' },
    },
  );
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  await expect.poll(() => nginx.log()).toContain(String(answer.headers['x-request-id']));
  expect(await nginx.log()).not.toContain('MRN-SEEN');
  expect(await readFile(join(nginx.directory, 'error.log'), 'utf8')).not.toContain('MRN-SEEN');
});

test('events come over a WebSocket, and over a stream as each one happens', async () => {
  const job = await changingJob(system);
  const client = secureClient(nginx, await system.token('CLINICIAN'));
  const socketEvents = client.subscribe(ScoringJobUpdatedDocument, { id: job.id });
  await socketEvents.next();
  const asking = request(`${urlOf(nginx)}/graphql`, {
    ...tlsOptions(nginx),
    method: 'POST',
    headers: { ...json, authorization, accept: 'text/event-stream' },
  });
  onTestFinished(() => void asking.destroy());
  asking.end(JSON.stringify({ query: `subscription { scoringJobUpdated(id: "${job.id}") { sequence } }` }));
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  response.on('data', (part) => (text += String(part)));
  response.on('error', () => undefined);
  for (let count = 0; count < 3; count += 1) {
    const sequence = await job.advance();
    await expect.poll(() => text).toContain(`"sequence":${sequence}}`);
    const { value } = (await socketEvents.next()) as { value: { scoringJobUpdated: { sequence: number } } };
    expect(value.scoringJobUpdated.sequence).toBe(sequence);
  }
});

test('without TLS a caller is sent to it, and another name is refused', async () => {
  const [response] = (await once(
    plainRequest({ port: nginx.plainPort, path: '/graphql', headers: { host: nginxName } }).end(),
    'response',
  )) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, response.headers.location]).toEqual([301, `https://${nginxName}/graphql`]);
  const socket = connectTls({ port: nginx.port, host: '127.0.0.1', servername: 'other.example.org' });
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toMatch(/unrecognized name|alert/i);
});

test('a body above the limit, too many requests and an API that is away are answered in the form of the API', async () => {
  const tooLarge = await call('/graphql', { method: 'POST', headers: json, body: ' '.repeat(4 * 1024 * 1024 + 1) });
  expect([tooLarge.status, codeOf(tooLarge.body)]).toEqual([413, 'BAD_USER_INPUT']);

  const away = await startNginx([`http://127.0.0.1:${await freePort()}`], {
    'limit_req zone=requests burst=2000 nodelay;': 'limit_req zone=requests burst=1 nodelay;',
    'rate=1000r/s': 'rate=1r/m',
  });
  const callAway = secureCaller(away, 1);
  const first = await callAway('/graphql', { method: 'POST', headers: json, body: '{}' });
  expect([first.status, codeOf(first.body), first.headers['retry-after']]).toEqual([503, 'SERVICE_UNAVAILABLE', '2']);
  expect(first.body).toContain(`"requestId":"${String(first.headers['x-request-id'])}"`);
  await callAway('/graphql');
  const second = await callAway('/graphql');
  expect([second.status, codeOf(second.body), second.headers['retry-after']]).toEqual([429, 'RATE_LIMITED', '2']);
  expect(second.body).toContain(`"requestId":"${String(second.headers['x-request-id'])}"`);
  expect(second.headers['strict-transport-security']).toBeDefined();
});

test('a POST whose connection was refused goes to another API, and one that was sent goes to none', async () => {
  const post = { method: 'POST', headers: { ...json, authorization }, body: '{"query":"{ viewer { role } }"}' };
  const closed = `127.0.0.1:${await freePort()}`;
  const besideClosed = await startNginx([`http://${closed}`, system.url]);
  const callBoth = secureCaller(besideClosed, 1);
  for (let count = 0; count < 4; count += 1) expect((await callBoth('/graphql', post)).status).toBe(200);
  expect(await besideClosed.log()).toMatch(
    new RegExp(`"method":"POST",.*"upstream":"${closed}, ${new URL(system.url).host}","upstreamStatus":"502, 200"`),
  );

  // It takes each request and resets the connection, as an API that is killed does.
  let taken = 0;
  const killed = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      taken += 1;
      socket.resetAndDestroy();
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void killed.close());
  await once(killed, 'listening');
  const besideKilled = await startNginx([
    `http://127.0.0.1:${(killed.address() as AddressInfo).port}`,
    `http://${closed}`,
  ]);
  const answer = await secureCaller(besideKilled, 1)('/graphql', post);
  expect([answer.status, codeOf(answer.body), taken]).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
});

const codeOf = (body: string): unknown =>
  (JSON.parse(body) as { errors: [{ extensions: { code: string } }] }).errors[0].extensions.code;

test('clients that send nothing, half a request or half a body, or stay after their answer, are disconnected', async () => {
  const hasty = await startNginx([system.url], {
    'client_header_timeout 10s': 'client_header_timeout 1s',
    'client_body_timeout 15s': 'client_body_timeout 1s',
    ' keepalive_timeout 65s': ' keepalive_timeout 1s',
  });
  const head = `POST /graphql HTTP/1.1\r\nHost: ${nginxName}\r\nContent-Type: application/json\r\n`;
  const query = '{"query":"{ __typename }"}';
  for (const sent of [
    '',
    'POST /graphql HTTP/1.1\r\nHost: a',
    `${head}Content-Length: 4000000\r\n\r\n{"query":`,
    `${head}Content-Length: ${query.length}\r\n\r\n${query}`,
  ])
    for (let count = 0; count < 10; count += 1) {
      const socket = connectTls({ port: hasty.port, host: '127.0.0.1', ...tlsOptions(hasty) });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      socket.write(sent);
      // It does not see that the connection was ended.
      socket.pause();
    }
  await expect.poll(() => connectionsAt(hasty.port)).toBe(0);
});
