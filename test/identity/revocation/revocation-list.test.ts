import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { RevocationKind, Role } from '../../../models/index.js';
import { createRevocationList, type RevocationRecord } from '../../../src/identity/revocation/revocation-list.js';
import type { Identity } from '../../../src/auth/viewer.js';

const organization = new Types.ObjectId();
const day = 86_400_000;
const record = (
  kind: RevocationKind,
  subject: string,
  notBefore: number,
  rest: Partial<RevocationRecord> = {},
): RevocationRecord => ({
  organization,
  kind,
  subject,
  notBefore: new Date(notBefore),
  keepUntil: new Date(notBefore + 31 * day),
  ...rest,
});
const identity = (rest: Partial<Identity>): Identity => ({
  username: 'ada',
  role: Role.CLINICIAN,
  organizationId: organization.toHexString(),
  expiresAt: 50 * day,
  ...rest,
});

test('a token without a session is refused when it was issued before the revocation of its user', () => {
  const list = createRevocationList();
  list.apply([record(RevocationKind.USER, 'ada', 1_000)]);
  expect([undefined, 999, 1_000, 1_001].map((issuedAt) => list.isRevoked(identity({ issuedAt })))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(list.isRevoked(identity({ issuedAt: 0, username: 'bob' }))).toBe(false);
  expect(list.isRevoked(identity({ issuedAt: 0, organizationId: new Types.ObjectId().toHexString() }))).toBe(false);
});

test('the entry of its session decides about a token, whatever the clocks say; an API key has its own entry', () => {
  const list = createRevocationList();
  list.apply([
    record(RevocationKind.USER, 'ada', 1_000),
    record(RevocationKind.SESSION, 's1', 1_000),
    record(RevocationKind.API_KEY, 'k1', 1_000),
  ]);
  expect(list.isRevoked(identity({ issuedAt: 5_000, sessionId: 's1' }))).toBe(true);
  expect(list.isRevoked(identity({ issuedAt: 0, sessionId: 's2' }))).toBe(false);
  expect(list.isRevoked(identity({ issuedAt: 5_000, apiKeyId: 'k1', username: 'api-key:k1' }))).toBe(true);
  expect(list.isRevoked(identity({ issuedAt: 0, apiKeyId: 'k2', username: 'api-key:k2' }))).toBe(false);
});

test('no credential of a blocked user is valid until the block is removed', () => {
  const list = createRevocationList();
  list.apply([record(RevocationKind.USER, 'ada', 1_000, { blocked: true })]);
  expect(
    [identity({ issuedAt: 9_000 }), identity({ sessionId: 's9' })].map((blocked) => list.isRevoked(blocked)),
  ).toEqual([true, true]);
  // An entry that does not mention the block leaves it in place.
  list.apply([record(RevocationKind.USER, 'ada', 2_000)]);
  expect(list.isRevoked(identity({ issuedAt: 9_000 }))).toBe(true);
  list.apply([record(RevocationKind.USER, 'ada', 3_000, { blocked: false })]);
  expect([3_000, 3_001].map((issuedAt) => list.isRevoked(identity({ issuedAt })))).toEqual([true, false]);
});

test('an older entry that arrives late does not undo a revocation', () => {
  const list = createRevocationList();
  list.apply([record(RevocationKind.USER, 'ada', 2_000)]);
  list.apply([record(RevocationKind.USER, 'ada', 1_000)]);
  expect(list.isRevoked(identity({ issuedAt: 1_500 }))).toBe(true);
});

test('an entry is removed when it can concern no token any more, and a block is kept', () => {
  const list = createRevocationList();
  list.apply([
    record(RevocationKind.USER, 'ada', 0),
    record(RevocationKind.USER, 'bob', 0, { blocked: true }),
    record(RevocationKind.SESSION, 's1', 2 * day),
  ]);
  list.forget(new Date(32 * day));
  expect(list.isRevoked(identity({ issuedAt: -1 }))).toBe(false);
  expect(list.isRevoked(identity({ username: 'bob', issuedAt: 60 * day }))).toBe(true);
});
