import { afterEach, describe, expect, test, vi } from 'vitest';
import { Role } from '../../models/index.js';
import { createVerifiedTokens } from '../../src/identity/verified-tokens.js';
import type { Identity } from '../../src/auth/viewer.js';

const identity = (username: string, expiresAt: number): Identity => ({
  username,
  role: Role.CLINICIAN,
  organizationId: '0'.repeat(24),
  expiresAt,
});

describe('verified tokens', () => {
  afterEach(() => vi.useRealTimers());

  test('are found only by exactly the same text', () => {
    const tokens = createVerifiedTokens();
    const ada = identity('ada', Date.now() + 60_000);
    tokens.add('header.payload.signature', ada);
    expect(tokens.find('header.payload.signature')).toBe(ada);
    expect(tokens.find('header.payload.signaturf')).toBeUndefined();
    expect(tokens.find('header.payload.')).toBeUndefined();
  });

  test('are removed at the moment they expire', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const tokens = createVerifiedTokens();
    tokens.add('token', identity('ada', 1_005_000));
    vi.setSystemTime(1_004_999);
    expect(tokens.find('token')?.username).toBe('ada');
    vi.setSystemTime(1_005_000);
    expect(tokens.find('token')).toBeUndefined();
    vi.setSystemTime(1_004_999);
    expect(tokens.find('token')).toBeUndefined();
  });

  test('are removed when later ones need the room', () => {
    const tokens = createVerifiedTokens(2);
    for (const name of ['one', 'two', 'three']) tokens.add(name, identity(name, Number.MAX_SAFE_INTEGER));
    expect(['one', 'two', 'three'].map((name) => tokens.find(name)?.username)).toEqual([undefined, 'two', 'three']);
  });
});
