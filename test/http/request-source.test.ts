import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createRequestSources } from '../../src/http/request-source.js';
import { addressBlock, parseAddress, wideBlock } from '../../src/net/address-block.js';

const request = (remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;
const sources = createRequestSources(['loopback', '10.0.0.0/8', '2001:db8:aaaa::/48', '192.0.2.1']);
const forwarded = (text: string, peer = '127.0.0.1'): string =>
  sources.addressOf(request(peer, { 'x-forwarded-for': text }));

describe('the address of a caller', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:1', 'fe80::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['  203.0.113.9  ', '203.0.113.9'],
    ['garbage', 'unknown'],
    ['', 'unknown'],
    ['203.0.113', 'unknown'],
    ['0x7f.1', 'unknown'],
    ['203.0.113.9:port', 'unknown'],
    ['203.0.113.9 ; drop', 'unknown'],
    ['unknown', 'unknown'],
    ['198.51.100.1, 203.0.113.9:1, 10.1.2.3:2', '203.0.113.9'],
    ['198.51.100.1, garbage, 10.1.2.3', 'unknown'],
    ['198.51.100.1, [2001:db8:aaaa::1]:9, 192.0.2.1', '198.51.100.1'],
    ['10.9.9.9, 10.1.2.3', '10.9.9.9'],
  ])('behind a proxy that sends X-Forwarded-For: %s is %s', (text, address) => {
    expect(forwarded(text)).toBe(address);
  });

  test('is that of the connection when no trusted proxy made it', () => {
    expect(forwarded('203.0.113.9', '198.51.100.1')).toBe('198.51.100.1');
    expect(forwarded('203.0.113.9', '::ffff:127.0.0.1')).toBe('203.0.113.9');
    expect(sources.addressOf(request('::ffff:198.51.100.1'))).toBe('198.51.100.1');
    expect(sources.addressOf(request(undefined))).toBe('unknown');
    expect(createRequestSources([]).addressOf(request('127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }))).toBe(
      '127.0.0.1',
    );
  });
});

test('the host is the one that a trusted proxy names last, else the one of the request', () => {
  const headers = { host: 'api.internal:4000', 'x-forwarded-host': 'evil.example, risk.example.org' };
  expect(sources.hostOf(request('127.0.0.1', headers))).toBe('risk.example.org');
  expect(sources.hostOf(request('198.51.100.1', headers))).toBe('api.internal:4000');
  expect(sources.hostOf(request('198.51.100.1'))).toBe('');
});

test('only IPv6 addresses have a wide block, and what is no address counts as one caller', () => {
  expect(wideBlock('2001:db8:1:2::3')).toBe('2001:db8:1::/48');
  expect(wideBlock('192.0.2.7')).toBeUndefined();
  expect(wideBlock('::ffff:192.0.2.7')).toBeUndefined();
  expect([addressBlock('a'), addressBlock('b:1'), addressBlock('')]).toEqual(['unknown', 'unknown', 'unknown']);
  expect(parseAddress('300.1.1.1')).toBeUndefined();
});
