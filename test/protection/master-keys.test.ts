import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadConfig, type Config } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';
import { deriveMasterKey, parseMasterKeys } from '../../src/protection/master-keys.js';

const bytes = randomBytes(32);
const secretKey = randomBytes(48).toString('base64');
const exported = ({ masterKeys }: Config): string[] => masterKeys.map(({ key }) => key.export().toString('hex'));
const ids = ({ masterKeys }: Config): string[] => masterKeys.map(({ id }) => id);
const production = (environment: Record<string, string>): Config =>
  loadConfig({ NODE_ENV: 'production', SECRET_KEY: secretKey, ...environment });

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
  return 'none';
}

describe('ENCRYPTION_KEYS', () => {
  test.each(['hex', 'base64', 'base64url'] as const)('accepts 32 bytes as %s', (encoding) => {
    expect(exported(production({ ENCRYPTION_KEYS: `k1:${bytes.toString(encoding)}` }))).toEqual([
      bytes.toString('hex'),
    ]);
  });

  test('names several keys, the current one first', () => {
    const keys = ['2025-2', '2025_1', 'first'].map((id) => ({ id, bytes: randomBytes(32) }));
    const config = production({
      ENCRYPTION_KEYS: keys.map((key) => `${key.id}:${key.bytes.toString('base64')}`).join(', '),
    });
    expect(ids(config)).toEqual(['2025-2', '2025_1', 'first']);
    expect(exported(config)).toEqual(keys.map((key) => key.bytes.toString('hex')));
  });

  test('a key without an id gets one from its bytes, the same each time', () => {
    const [id] = ids(production({ ENCRYPTION_KEYS: bytes.toString('hex') }));
    expect(id).toMatch(/^key-[0-9a-f]{8}$/);
    expect(
      ids(production({ ENCRYPTION_KEYS: `new:${randomBytes(32).toString('hex')},${bytes.toString('base64')}` })),
    ).toEqual(['new', id]);
  });

  const key = bytes.toString('hex');
  test.each([
    ['a key that is too short', `k1:${key.slice(2)}`],
    ['a key that is too long', `k1:${key}00`],
    ['a key in no encoding', `k1:${'?'.repeat(64)}`],
    ['an id where the key should be', `${key}:k1`],
    ['an id with blanks', `my key:${key}`],
    ['an id that is too long', `${'k'.repeat(41)}:${key}`],
    ['no id before the colon', `:${key}`],
    ['no key', 'k1:'],
    ['an empty entry', `k1:${key},`],
    ['two colons', `a:b:${key}`],
    ['another character between the keys', `k1:${key};k2:${key}`],
    ['one id twice', `k1:${key},k1:${randomBytes(32).toString('hex')}`],
  ])('with %s is refused in any environment, in a message that holds no part of it', (_, text) => {
    for (const NODE_ENV of ['development', 'production', 'test']) {
      const message = messageOf(() => loadConfig({ NODE_ENV, SECRET_KEY: secretKey, ENCRYPTION_KEYS: text }));
      expect(message).toMatch(/^Configuration: ENCRYPTION_KEYS/);
      expect(message).not.toContain(key.slice(2, 12));
      expect(message).not.toMatch(/my key|kkkk|\?\?/);
    }
  });

  test.each([
    ['is not set', {}],
    ['has too few different bytes', { ENCRYPTION_KEYS: `k1:${'ab'.repeat(32)}` }],
    ['has too few different bytes', { ENCRYPTION_KEYS: `k1:${'0123456789abcdef'.repeat(4)}` }],
    [
      'is printable text and not random',
      { ENCRYPTION_KEYS: `k1:${Buffer.from('correct horse battery staple 123').toString('base64')}` },
    ],
    ['has too few different bytes', { ENCRYPTION_KEYS: `k1:${key},old:${'00'.repeat(32)}` }],
    ['equals SECRET_KEY', { SECRET_KEY: key, ENCRYPTION_KEYS: `k1:${key}` }],
  ])('%s: no start in production', (reason, environment) => {
    expect(messageOf(() => production(environment))).toMatch(
      new RegExp(`ENCRYPTION_KEYS.* ${reason}.*openssl rand -hex 32`),
    );
  });

  test('a configuration that is printed shows no key', () => {
    const config = production({ ENCRYPTION_KEYS: `k1:${key}` });
    expect(JSON.stringify(config)).not.toContain(key);
    expect(JSON.stringify(config)).not.toContain(bytes.toString('base64'));
  });
});

describe('without ENCRYPTION_KEYS, outside production', () => {
  test('the master key comes from SECRET_KEY by HKDF, and is not SECRET_KEY', () => {
    const config = loadConfig({ SECRET_KEY: secretKey });
    expect(config.masterKeys).toHaveLength(1);
    expect(exported(config)).toEqual(exported(loadConfig({ SECRET_KEY: secretKey, NODE_ENV: 'test' })));
    expect(exported(config)).not.toEqual(exported(loadConfig({ SECRET_KEY: `${secretKey}2` })));
    expect(exported(config)).not.toContain(createHash('sha256').update(secretKey).digest('hex'));
  });

  test('it is HKDF-SHA-256, as another program computes it', () => {
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:abc -kdfopt info:riskgraph.master-key HKDF
    expect(deriveMasterKey('abc').key.export().toString('hex')).toBe(
      '4eececf4dc78de21da7c466b55de7cb49c2c77976edf920ed1fc3520094931e2',
    );
  });

  test('another SECRET_KEY gives another id, so that a start can name the required one', () => {
    expect(deriveMasterKey('one').id).toMatch(/^secret-key-[0-9a-f]{8}$/);
    expect(deriveMasterKey('one').id).not.toBe(deriveMasterKey('two').id);
  });

  test('it still unwraps its keys after ENCRYPTION_KEYS is set, but not in production', () => {
    const ENCRYPTION_KEYS = `k1:${bytes.toString('hex')}`;
    expect(ids(loadConfig({ SECRET_KEY: secretKey, ENCRYPTION_KEYS }))).toEqual(['k1', deriveMasterKey(secretKey).id]);
    expect(ids(production({ ENCRYPTION_KEYS }))).toEqual(['k1']);
  });
});

test('parsing names every issue at once', () => {
  expect(parseMasterKeys('a:b,c:d').issues).toHaveLength(2);
});
