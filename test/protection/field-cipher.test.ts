import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { CiphertextError } from '../../src/protection/errors.js';
import { keyIdOf, openField, sealField, type DataKey, type FieldPlace } from '../../src/protection/field-cipher.js';

const newKey = (): DataKey => ({ id: randomBytes(12), key: createSecretKey(randomBytes(32)) });
const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex');
/** A keyring of these keys. */
const finder = (...keys: DataKey[]) => (id: string): KeyObject | undefined => keys.find((key) => hex(key.id) === id)?.key;

const dataKey = newKey();
const place: FieldPlace = { organization: randomBytes(12), document: randomBytes(12), field: 'patients.mrn' };
const find = finder(dataKey);

test.each(['', 'A-1001', 'Müller-Lüdenscheidt', '陳大文', '👩‍⚕️ e\u0301', 'x'.repeat(100_000)])('what was sealed opens as it was: %.20s', (text) => {
  const sealed = sealField(dataKey, place, text);
  expect(openField(find, place, sealed)).toBe(text);
  expect(keyIdOf(sealed)).toBe(hex(dataKey.id));
  expect(sealed.length).toBe(41 + Buffer.byteLength(text));
  expect(text === '' || !sealed.includes(text)).toBe(true);
});

test('a sealed field opens inside a larger buffer, as the driver hands it out', () => {
  const sealed = sealField(dataKey, place, 'A-1001');
  const around = Buffer.concat([randomBytes(7), sealed, randomBytes(5)]);
  expect(openField(find, place, around.subarray(7, 7 + sealed.length))).toBe('A-1001');
});

test('no bit can be changed, and no byte be cut off or added', () => {
  const sealed = sealField(dataKey, place, 'A-1001');
  for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    // A second key, so that a changed key id does not merely name nobody.
    expect(() => openField((id) => find(id) ?? dataKey.key, place, changed), `bit ${bit}`).toThrow(CiphertextError);
  }
  for (let length = 0; length < sealed.length; length += 1) expect(() => openField(find, place, sealed.subarray(0, length)), `${length} bytes`).toThrow(CiphertextError);
  expect(() => openField(find, place, Buffer.concat([sealed, Buffer.of(0)]))).toThrow(CiphertextError);
});

test.each<[string, Partial<FieldPlace>]>([
  ['organization', { organization: randomBytes(12) }],
  ['document', { document: randomBytes(12) }],
  ['field', { field: 'patients.familyName' }],
  ['field whose name begins alike', { field: 'patients.mrn2' }],
])('a ciphertext does not open in another %s', (_, elsewhere) => {
  const sealed = sealField(dataKey, place, 'A-1001');
  expect(() => openField(find, { ...place, ...elsewhere }, sealed)).toThrow(CiphertextError);
});

test('organization and document cannot change places', () => {
  const { organization, document, field } = place;
  expect(() => openField(find, { organization: document, document: organization, field }, sealField(dataKey, place, 'A-1001'))).toThrow(CiphertextError);
});

test('a ciphertext opens under its own key alone', () => {
  const other = newKey();
  const sealed = sealField(dataKey, place, 'A-1001');
  expect(() => openField(finder(other), place, sealed)).toThrow(/data key is not there/);
  expect(() => openField(() => other.key, place, sealed)).toThrow(/was changed/);
  const renamed = Buffer.concat([sealed.subarray(0, 1), other.id, sealed.subarray(13)]);
  expect(() => openField(finder({ ...other, key: dataKey.key }), place, renamed)).toThrow(CiphertextError);
});

test('a fault names the place by ids, and never the text', () => {
  const sealed = sealField(dataKey, place, 'Canary');
  sealed[sealed.length - 20]! ^= 1;
  const fault = catching(() => openField(find, place, sealed)) as CiphertextError;
  expect(fault).toMatchObject({ code: 'INTERNAL', subject: `patients.mrn of ${hex(place.document)}` });
  expect(`${fault.message} ${String(fault.cause)}`).not.toContain('Canary');
});

test('no nonce comes twice, and none can be asked for', () => {
  const count = 20_000;
  const sealed = Array.from({ length: count }, () => sealField(dataKey, place, 'the same text'));
  expect(new Set(sealed.map((bytes) => bytes.toString('hex', 13, 25))).size).toBe(count);
  expect(new Set(sealed.map((bytes) => bytes.toString('hex', 25))).size).toBe(count);
  expect(sealField).toHaveLength(3);
});

function catching(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
