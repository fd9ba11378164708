/** Covers src/net/webhook-address.ts, src/webhooks/send-webhook.ts, src/webhooks/webhook-url.ts. */
// Threat: a webhook makes the server call hosts that its creator cannot reach (SSRF).

import type { LookupAddress, LookupOptions } from 'node:dns';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { mayReach } from '../../src/net/webhook-address.js';
import { createWebhookSender } from '../../src/webhooks/send-webhook.js';
import { urlIssue } from '../../src/webhooks/webhook-url.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const service = await system.token('SERVICE');

/** Listens on a free port of this machine until the end of the test. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A receiver of this machine that counts its requests. */
async function receiver(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    request.resume().on('end', () => answer(request, response));
  });
  const port = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return { port, seen };
}

/** A look-up with prepared answers, one per call; the last one is repeated. */
function lookupOf(...answers: string[][]) {
  let calls = 0;
  const lookup = (
    _host: string,
    _options: LookupOptions,
    done: (error: Error | null, addresses: LookupAddress[]) => void,
  ): void => {
    const addresses = answers[Math.min(calls++, answers.length - 1)]!;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return lookup as never;
}

const request = (url: string) => ({ url, headers: {}, body: '{}' });

// Shows: owasp/ssrf
test.each([
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['loopback over IPv6', '::1'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '192.168.1.1'],
  ['shared by a provider', '100.64.0.1'],
  ['link-local', '169.254.1.1'],
  ['link-local over IPv6', 'fe80::1'],
  ['metadata of most clouds', '169.254.169.254'],
  ['metadata of AWS over IPv6', 'fd00:ec2::254'],
  ['metadata of Azure', '168.63.129.16'],
  ['metadata of Alibaba', '100.100.100.200'],
  ['unique local', 'fd12:3456::1'],
  ['unspecified', '0.0.0.0'],
  ['unspecified over IPv6', '::'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['an IPv4 address mapped into IPv6', '::ffff:127.0.0.1'],
  ['an IPv4 address within IPv6', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo', '2001:0:7f00:1::'],
  ['documentation', '192.0.2.1'],
])('an address that is %s is never reached: %s', (_kind, address) => {
  expect(mayReach(address, false)).toBe(false);
});

// Shows: owasp/ssrf
test('public addresses are reached; a named host may be private, but never link-local or metadata', () => {
  for (const address of ['93.184.216.34', '2606:2800:220:1::1']) expect(mayReach(address, false)).toBe(true);
  for (const address of ['10.0.0.1', '127.0.0.1', 'fd12::1', '::1']) expect(mayReach(address, true)).toBe(true);
  for (const address of ['169.254.169.254', 'fe80::1', 'fd00:ec2::254', '168.63.129.16', '0.0.0.0', '224.0.0.1'])
    expect(mayReach(address, true), address).toBe(false);
});

// Shows: owasp/ssrf
test.each([
  'http://care.example.org/',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://mongodb/',
  'https://metadata.google.internal/',
  'https://metadata.google.internal./',
  'https://metadata.google.internal../',
  'https://169.254.169.254./latest/meta-data',
  'https://care.example.org../',
  'https://user:password@care.example.org/',
  'https://care.example.org/#part',
  'file:///etc/passwd',
  'gopher://care.example.org/',
  'care.example.org',
  `https://care.example.org/${'x'.repeat(2_100)}`,
])('an endpoint at %s is refused, and nothing is stored', async (url) => {
  expect(urlIssue(url, [])).toBeTypeOf('string');
  const create = 'mutation ($url: String!) { createWebhookEndpoint(input: {url: $url}) { secret } }';
  const answer = await system.post(create, { url }, service);
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  expect(answer.text).not.toContain('user:password');
  expect(await system.app.models.webhookEndpoints.countDocuments()).toBe(0);
});

// Shows: owasp/ssrf
test('a last dot changes nothing: a name with it is the same name, allowed or refused', async () => {
  for (const url of ['http://localhost/', 'http://localhost./', 'https://LOCALHOST./'])
    expect([urlIssue(url, ['localhost']), urlIssue(url, ['elsewhere'])], url).toEqual([undefined, expect.any(String)]);
  for (const url of ['https://localhost../', 'https://169.254.169.254./', 'https://169.254.169.254/'])
    expect(urlIssue(url, ['localhost', 'localhost.', '169.254.169.254']), url).toBeTypeOf('string');
  const { port, seen } = await receiver((_request, response) => response.end());
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: [], lookup: lookupOf(['127.0.0.1']) });
  for (const host of ['localhost.', '127.0.0.1.', 'rebinding.example.org.'])
    expect(await send(request(`http://${host}:${port}/`)), host).toEqual({ failure: 'REFUSED_ADDRESS' });
  expect(seen).toEqual([]);
});

// Shows: owasp/ssrf
test('a name with a private address is refused after its look-up, also when only one of its addresses is private', async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  for (const addresses of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::ffff:127.0.0.1']]) {
    const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: [], lookup: lookupOf(addresses) });
    expect(await send(request(`http://rebinding.example.org:${port}/`))).toEqual({ failure: 'REFUSED_ADDRESS' });
  }
  expect(seen).toEqual([]);
});

// Shows: owasp/ssrf
test('a name is looked up once per request, and its socket goes to the address that was checked (DNS rebinding)', async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  const lookup = lookupOf(['127.0.0.1'], ['169.254.169.254']);
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: ['rebinding.example.org'], lookup });
  expect(await send(request(`http://rebinding.example.org:${port}/first`))).toEqual({ status: 200 });
  expect(await send(request(`http://rebinding.example.org:${port}/second`))).toEqual({ failure: 'REFUSED_ADDRESS' });
  expect(seen).toEqual(['/first']);
});

// Shows: owasp/ssrf
test('an address in the URL is refused without a look-up, in every way of writing it', async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: [] });
  for (const host of ['127.0.0.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]'])
    expect(await send(request(`http://${host}:${port}/`)), host).toEqual({ failure: 'REFUSED_ADDRESS' });
  expect(seen).toEqual([]);
});

// Shows: owasp/ssrf
test('a redirect is not followed', async () => {
  const inside = await receiver((_request, response) => response.end());
  const outside = await receiver((_request, response) =>
    response.writeHead(307, { location: `http://localhost:${inside.port}/secret` }).end(),
  );
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: ['localhost'] });
  expect(await send(request(`http://localhost:${outside.port}/`))).toEqual({ status: 307, failure: 'STATUS' });
  expect(inside.seen).toEqual([]);
});

// Shows: owasp/ssrf
test('an answer without an end costs the time limit and few bytes', async () => {
  let written = 0;
  const { port } = await receiver((_request, response) => {
    const chunk = Buffer.alloc(65_536);
    response.writeHead(200);
    const write = (): void => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
    };
    response.on('drain', write);
    write();
  });
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: ['localhost'] });
  expect(await send(request(`http://localhost:${port}/`))).toEqual({ status: 200 });
  expect(written).toBeLessThan(50_000_000);
});

test('a receiver that says nothing, or writes headers without an end, ends with the time limit', async () => {
  const silent = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
  const send = createWebhookSender({ timeoutMs: 300, allowedHosts: ['localhost'] });
  expect(await send(request(`http://localhost:${silent}/`))).toEqual({ failure: 'TIMEOUT' });
  const endless = await listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n`);
    }),
  );
  expect(await send(request(`http://localhost:${endless}/`))).toEqual({ failure: 'CONNECTION' });
});

test('a closed port and a receiver without TLS are failures, not errors', async () => {
  const { port } = await receiver((_request, response) => response.end());
  const send = createWebhookSender({ timeoutMs: 5_000, allowedHosts: ['localhost'] });
  expect(await send(request(`https://localhost:${port}/`))).toEqual({ failure: 'TLS' });
  const closed = createTcpServer();
  const free = await listen(closed);
  await new Promise((ended) => closed.close(ended));
  const refused = connect(free, '127.0.0.1');
  await new Promise((failed) => refused.once('error', failed));
  expect(await send(request(`http://localhost:${free}/`))).toEqual({ failure: 'CONNECTION' });
});
