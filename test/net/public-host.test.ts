import { expect, test } from 'vitest';
import { isLoopback, isPublicHost } from '../../src/net/public-host.js';

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '[2606:4700::1111]',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  // inet_aton reads a single number as an address.
  '134744072',
  '0x08080808',
  '0x8.0x8.2056',
  '999.1.1.1',
  'db.example.org',
  'DB.EXAMPLE.ORG.',
  'db.localhost.example.org',
])('%s is public', (host) => {
  expect(isPublicHost(host)).toBe(true);
});

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.1.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '::',
  '::1',
  'fd00::1',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
  '::ffff:a00:1',
  'localhost',
  'mongo',
  'mongo.data.svc',
  'db.hospital.internal',
  'metadata.google.internal.',
  'metadata.google.internal..',
  'localhost.',
  '169.254.169.254.',
  '/tmp/mongodb-27017.sock',
  '',
])('"%s" stays within the network of the operator', (host) => {
  expect(isPublicHost(host)).toBe(false);
});

test.each([
  '127.0.0.1',
  '127.9.9.9',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
  'localhost',
  'api.localhost',
  '/tmp/a.sock',
  '',
])('"%s" is this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(['10.0.0.1', '0.0.0.0', '::', 'fe80::1', 'redis', '127.example.org', '128.0.0.1'])(
  '%s is another machine',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
