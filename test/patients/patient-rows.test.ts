import { mongo } from 'mongoose';
import { expect, test } from 'vitest';
import { AdministrativeGender } from '../../models/index.js';
import { toBinary } from '../../src/storage/binary.js';
import { modelInputs } from '../../src/patients/model-inputs.js';
import { collectPatientRows } from '../../src/patients/patient-rows.js';
import { InvalidFeaturesError } from '../../src/risk/risk-model.js';
import { loadRiskModels, type DirectoryModel } from '../../src/risk/registry.js';

const { BSON, Double, Int32, Long, ObjectId, UUID } = mongo;
const [{ model }] = (await loadRiskModels('risk-models')) as [DirectoryModel];
const { manifest } = model;
const on = new Date('2026-06-15T00:00:00Z');
const birthDate = '1956-06-15';
const dataKey = new ObjectId();

/** A patient as the database stores it. `birthDate` is what a reader gets for its sealed birth date. */
function patient(features: readonly { readonly code: string; readonly value: unknown }[], rest: object = {}) {
  return {
    _id: new ObjectId(),
    dataKey,
    organization: new ObjectId(),
    version: 3,
    createdAt: new Date(),
    mrn: toBinary(Buffer.from('sealed')),
    birthDate: toBinary(Buffer.from('sealed')),
    sex: AdministrativeGender.FEMALE,
    flag: true,
    nothing: null,
    nested: { code: 'cholesterol', value: 1 },
    id: new UUID(),
    features: features.map((feature) => ({ recordedAt: new Date(), ...feature })),
    ...rest,
  };
}

const given = manifest.features.flatMap(({ code, source, range, codes, kind }) =>
  source ? [] : [{ code, value: codes ? codes[0]!.value : range!.min + (kind === 'COUNT' ? 1 : 0.5) }],
);

const patients = [
  patient(given),
  patient(given.toReversed()),
  patient([{ code: 'of_another_model', value: 7 }, ...given.slice(2), { code: 'chol', value: 7 }]),
  patient([]),
  patient(given, { sex: AdministrativeGender.UNKNOWN, birthDate: undefined }),
  patient([
    { code: 'age', value: new Int32(77) },
    { code: 'sex', value: Long.fromNumber(1) },
    { code: 'cholesterol', value: new Double(212) },
  ]),
  patient([{ value: 212, code: 'cholesterol' }]),
];

test('patients read as bytes equal the same patients read as objects', () => {
  const rows = collectPatientRows(
    patients.map((document) => BSON.serialize(document, { ignoreUndefined: true })),
    manifest.features,
  );
  rows.complete(
    () => birthDate,
    on,
    0,
    patients.length,
    (_row, error) => {
      throw error;
    },
  );
  const width = manifest.features.length;
  patients.forEach((document, row) => {
    const features = document.features.map(({ code, value }) => ({ code, value: Number(value) }));
    const expected = modelInputs(
      manifest,
      { sex: document.sex, features, ...(document.birthDate && { birthDate }) },
      on,
    );
    expect([...rows.given.subarray(row * width, (row + 1) * width)]).toEqual(
      manifest.features.map(({ code }) => expected[code] ?? Number.NaN),
    );
    expect(rows.ids[row]!.toHexString()).toBe(document._id.toHexString());
  });
  expect(rows.dataKeys.map((id) => id.toHexString())).toEqual([dataKey.toHexString()]);
});

test('a birth date that cannot be decrypted fails only its row, and is not decrypted if the age is recorded', () => {
  const documents = [patients[0]!, patients[5]!, patients[1]!];
  const rows = collectPatientRows(
    documents.map((document) => BSON.serialize(document, { ignoreUndefined: true })),
    manifest.features,
  );
  const failedRows: number[] = [];
  rows.complete(
    () => {
      throw new Error('changed');
    },
    on,
    0,
    documents.length,
    (row) => failedRows.push(row),
  );
  expect(failedRows).toEqual([0, 2]);
});

test('rows are encoded and refused exactly as each would be alone', () => {
  const width = manifest.features.length;
  const accepted = model.encode(
    modelInputs(manifest, { sex: AdministrativeGender.MALE, features: given, birthDate }, on),
  );
  const complete = accepted.given.map((value) => value ?? Number.NaN);
  const changed = (column: number, value: number): number[] =>
    complete.map((present, index) => (index === column ? value : present));
  const all = [
    complete,
    ...complete.flatMap((_, column) =>
      [Number.NaN, -1e9, Number.POSITIVE_INFINITY, 0.123].map((value) => changed(column, value)),
    ),
  ];
  const { used, refused } = model.encodeRows(Float64Array.from(all.flat()));
  let refusedAlone = 0;
  all.forEach((row, number) => {
    const values = Object.fromEntries(
      manifest.features.map(({ code }, column) => [code, Number.isNaN(row[column]) ? null : row[column]]),
    );
    try {
      const alone = model.encode(values);
      expect(refused.has(number)).toBe(false);
      expect([...used.subarray(number * width, (number + 1) * width)]).toEqual([...alone.used]);
    } catch (error) {
      if (!(error instanceof InvalidFeaturesError)) throw error;
      refusedAlone += 1;
      expect(refused.get(number)?.message).toBe(error.message);
    }
  });
  expect(refusedAlone).toBeGreaterThan(width);
  expect(refused.size).toBe(refusedAlone);
});
