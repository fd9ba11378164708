import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { CiphertextError } from '../../src/protection/errors.js';
import { createFieldCipher, keyIdOf, type DataKey } from '../../src/protection/field-cipher.js';

const newKey = (): DataKey => ({ id: randomBytes(12), key: createSecretKey(randomBytes(32)) });
const hex = (id: Uint8Array): string => Buffer.from(id).toString('hex');
/** A keyring with these keys. */
const finder =
  (...keys: DataKey[]) =>
  (id: string): KeyObject | undefined =>
    keys.find((key) => hex(key.id) === id)?.key;

const dataKey = newKey();
const place = {
  organization: randomBytes(12) as Uint8Array,
  document: randomBytes(12) as Uint8Array,
  field: 'patients.mrn',
};
type Place = typeof place;
const find = finder(dataKey);
const sealField = ({ organization, document, field }: Place, text: string): Buffer =>
  createFieldCipher(organization, find).encrypt(dataKey, document, field, text);
const decryptField = (
  findKey: (id: string) => KeyObject | undefined,
  { organization, document, field }: Place,
  sealed: Uint8Array,
): string => createFieldCipher(organization, findKey).decrypt(document, field, sealed);

test.each(['', 'A-1001', 'Müller-Lüdenscheidt', '陳大文', '👩‍⚕️ e\u0301', 'x'.repeat(100_000)])(
  'a sealed text decrypts to itself: %.20s',
  (text) => {
    const sealed = sealField(place, text);
    expect(decryptField(find, place, sealed)).toBe(text);
    expect(keyIdOf(sealed)).toBe(hex(dataKey.id));
    expect(sealed.length).toBe(41 + Buffer.byteLength(text));
    expect(text === '' || !sealed.includes(text)).toBe(true);
  },
);

test('a sealed field is decrypted inside a larger buffer, as the driver returns it', () => {
  const sealed = sealField(place, 'A-1001');
  const around = Buffer.concat([randomBytes(7), sealed, randomBytes(5)]);
  expect(decryptField(find, place, around.subarray(7, 7 + sealed.length))).toBe('A-1001');
});

test('no bit can be changed, and no byte be cut off or added', () => {
  const sealed = sealField(place, 'A-1001');
  for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    // A changed key id finds the key too, so that a missing key is not the reason of the refusal.
    expect(() => decryptField((id) => find(id) ?? dataKey.key, place, changed), `bit ${bit}`).toThrow(CiphertextError);
  }
  for (let length = 0; length < sealed.length; length += 1)
    expect(() => decryptField(find, place, sealed.subarray(0, length)), `${length} bytes`).toThrow(CiphertextError);
  expect(() => decryptField(find, place, Buffer.concat([sealed, Buffer.of(0)]))).toThrow(CiphertextError);
});

test.each<[string, Partial<Place>]>([
  ['organization', { organization: randomBytes(12) }],
  ['document', { document: randomBytes(12) }],
  ['field', { field: 'patients.familyName' }],
  ['field whose name begins alike', { field: 'patients.mrn2' }],
])('a ciphertext is not decrypted in another %s', (_, elsewhere) => {
  const sealed = sealField(place, 'A-1001');
  expect(() => decryptField(find, { ...place, ...elsewhere }, sealed)).toThrow(CiphertextError);
});

test('one cipher keeps fields, documents and keys apart, in any order', () => {
  const keys = [newKey(), newKey(), dataKey];
  const cipher = createFieldCipher(place.organization, finder(...keys));
  const documents = [randomBytes(12), randomBytes(12)];
  const all = keys.flatMap((key) =>
    documents.flatMap((document) =>
      ['a.b', 'a.c'].map((field) => ({ key, document, field, text: randomBytes(6).toString('hex') })),
    ),
  );
  const sealed = all.map(({ key, document, field, text }) => cipher.encrypt(key, document, field, text));
  for (const step of [1, 5, 7])
    all.forEach((_, index) =>
      expect(
        cipher.decrypt(
          all[(index * step) % 12]!.document,
          all[(index * step) % 12]!.field,
          sealed[(index * step) % 12]!,
        ),
      ).toBe(all[(index * step) % 12]!.text),
    );
  for (const [index, { document, field }] of all.entries()) {
    for (const [other, bytes] of sealed.entries()) {
      const own = all[other]!.document === document && all[other]!.field === field;
      if (own) expect(cipher.decrypt(document, field, bytes), `${other} in ${index}`).toBe(all[other]!.text);
      else expect(() => cipher.decrypt(document, field, bytes), `${other} in ${index}`).toThrow(CiphertextError);
    }
  }
});

test('organization and document cannot change places', () => {
  const { organization, document, field } = place;
  expect(() =>
    decryptField(find, { organization: document, document: organization, field }, sealField(place, 'A-1001')),
  ).toThrow(CiphertextError);
});

test('a ciphertext is decrypted only with its own key', () => {
  const other = newKey();
  const sealed = sealField(place, 'A-1001');
  expect(() => decryptField(finder(other), place, sealed)).toThrow(/data key is missing/);
  expect(() => decryptField(() => other.key, place, sealed)).toThrow(/was changed/);
  const renamed = Buffer.concat([sealed.subarray(0, 1), other.id, sealed.subarray(13)]);
  expect(() => decryptField(finder({ ...other, key: dataKey.key }), place, renamed)).toThrow(CiphertextError);
});

test('an error names the place by ids, and never the text', () => {
  const sealed = sealField(place, 'Canary');
  sealed[sealed.length - 20]! ^= 1;
  const error = catching(() => decryptField(find, place, sealed)) as CiphertextError;
  expect(error).toMatchObject({ code: 'INTERNAL', subject: `patients.mrn of ${hex(place.document)}` });
  expect(`${error.message} ${String(error.cause)}`).not.toContain('Canary');
});

test('no nonce is used twice, and no caller can choose one', () => {
  const count = 20_000;
  const cipher = createFieldCipher(place.organization, find);
  const sealed = Array.from({ length: count }, () =>
    cipher.encrypt(dataKey, place.document, place.field, 'the same text'),
  );
  expect(new Set(sealed.map((bytes) => bytes.toString('hex', 13, 25))).size).toBe(count);
  expect(new Set(sealed.map((bytes) => bytes.toString('hex', 25))).size).toBe(count);
  expect(cipher.encrypt).toHaveLength(4);
});

function catching(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
