import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { blindIndex } from '../../src/protection/blind-index.js';

const key = createSecretKey(Buffer.alloc(32, 7));

// Shows: owasp/unicode
test('an index is HMAC-SHA-256 over field and value, as another program computes it', () => {
  // printf 'patients.mrn\0A-1001' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707...07 -binary |
  //   basenc --base64url
  expect(blindIndex(key, 'patients.mrn', 'A-1001')).toBe('iR4FsHAaKaHWk-bnjInKLteK1DLN08WMK9qIomy2CaQ');
});

test('an MRN counts without the blanks around it; upper and lower case differ', () => {
  expect(blindIndex(key, 'patients.mrn', '  A-1001\t')).toBe(blindIndex(key, 'patients.mrn', 'A-1001'));
  expect(blindIndex(key, 'patients.mrn', 'a-1001')).not.toBe(blindIndex(key, 'patients.mrn', 'A-1001'));
  expect(blindIndex(key, 'patients.mrn', 'A-1001 ')).not.toBe(blindIndex(key, 'patients.mrn', 'A-100 1'));
});

test.each([
  ['upper and lower case', 'MÜLLER', 'müller'],
  ['composed and decomposed letters', 'Mu\u0308ller', 'Müller'],
  ['wide and narrow letters', 'Ｓｍｉｔｈ', 'smith'],
  ['ligatures', 'Ha\uFB03a', 'haffia'],
  ['Greek capitals', 'ΠΑΠΑΔΟΠΟΥΛΟΣ', 'Παπαδοπουλος'],
  ['blanks around it', ' Smith ', 'Smith'],
])('a family name is the same with another %s', (_, one, other) => {
  expect(blindIndex(key, 'patients.familyName', one)).toBe(blindIndex(key, 'patients.familyName', other));
});

test.each([
  ['Weiß', 'Weiss'],
  ['Smith', 'Smyth'],
  ['Muller', 'Müller'],
  ['Smith', 'Smith Jones'],
])('%s and %s are two family names', (one, other) => {
  expect(blindIndex(key, 'patients.familyName', one)).not.toBe(blindIndex(key, 'patients.familyName', other));
});

test('the same value has another index in another field and under another key', () => {
  const fields = [
    'patients.mrn',
    'patients.familyName',
    'scoring_jobs.idempotencyKey',
    'scoring_jobs.requestHash',
  ] as const;
  const indexes = [key, createSecretKey(randomBytes(32))].flatMap((one) =>
    fields.map((field) => blindIndex(one, field, 'same')),
  );
  expect(new Set(indexes).size).toBe(8);
});

test('every character of free text counts', () => {
  expect(blindIndex(key, 'scoring_jobs.idempotencyKey', 'visit ')).not.toBe(
    blindIndex(key, 'scoring_jobs.idempotencyKey', 'visit'),
  );
});
