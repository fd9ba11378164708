import { Types } from 'mongoose';
import { toBinary } from '../storage/binary.js';
import { BsonType, numberAt, walkElements } from '../storage/bson-walk.js';
import type { FieldReader } from '../protection/protection.js';
import type { ModelFeature } from '../risk/manifest.js';
import { derivedInput } from './model-inputs.js';
import { decryptBirthDate } from '../scope/patient-cipher.js';

/** MongoDB projection of what `collectPatientRows` reads. */
export const patientRowFields = { dataKey: 1, birthDate: 1, sex: 1, 'features.code': 1, 'features.value': 1 } as const;

/** Patients as a model takes them. */
export interface PatientRows {
  readonly ids: readonly Types.ObjectId[];
  /** Row-major, patients x features of the model, as given; NaN where missing. */
  readonly given: Float64Array;
  /** Data keys of what is sealed in them. */
  readonly dataKeys: readonly Types.ObjectId[];
  /**
   * Fills in what the model takes from the patients' own records: ages and sexes that are not given as features.
   * @param start first of the rows, `end` behind the last
   * @param onError told of a row whose birth date cannot be decrypted
   */
  complete(
    read: FieldReader,
    on: Date,
    start: number,
    end: number,
    onError: (row: number, error: unknown) => void,
  ): void;
}

/**
 * The inputs of a model out of patients' documents as they come over the wire: as `modelInputs`, for many patients, and
 * without an object for each of their features.
 * @param documents BSON, with the fields of `patientRowFields`
 */
export function collectPatientRows(documents: readonly Uint8Array[], features: readonly ModelFeature[]): PatientRows {
  const width = features.length;
  const codes = features.map(({ code }) => Buffer.from(code));
  const given = new Float64Array(documents.length * width).fill(Number.NaN);
  const ids: Types.ObjectId[] = [];
  const dataKeys: Types.ObjectId[] = [];
  const sexes: (string | undefined)[] = [];
  const birthDates: (Uint8Array | undefined)[] = [];
  let expected = 0;

  /** Column of the feature whose code is at these bytes, -1 for another model's. Patients mostly have their features in one order. */
  function columnOf(bytes: Uint8Array, start: number, length: number): number {
    for (let tried = 0; tried < width; tried += 1) {
      const column = (expected + tried) % width;
      if (isAt(codes[column]!, bytes, start, length)) {
        expected = column + 1;
        return column;
      }
    }
    return -1;
  }

  function readFeature(bytes: Uint8Array, view: DataView, start: number, row: number): void {
    let column = -1;
    let value = Number.NaN;
    walkElements(view, start, (type, nameStart, nameEnd, at) => {
      if (isAt(names.code, bytes, nameStart, nameEnd - nameStart))
        column = columnOf(bytes, at + 4, view.getInt32(at, true) - 1);
      else if (isAt(names.value, bytes, nameStart, nameEnd - nameStart)) value = numberAt(view, type, at);
    });
    if (column >= 0) given[row * width + column] = value;
  }

  documents.forEach((bytes, row) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    walkElements(view, 0, (_type, nameStart, nameEnd, at) => {
      const length = nameEnd - nameStart;
      if (isAt(names.features, bytes, nameStart, length)) {
        expected = 0;
        walkElements(
          view,
          at,
          (type, _start, _end, element) => type === BsonType.DOCUMENT && readFeature(bytes, view, element, row),
        );
      } else if (isAt(names._id, bytes, nameStart, length)) ids[row] = new Types.ObjectId(bytes.subarray(at, at + 12));
      else if (isAt(names.sex, bytes, nameStart, length))
        sexes[row] = Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, view.getInt32(at, true) - 1).toString(
          'latin1',
        );
      else if (isAt(names.birthDate, bytes, nameStart, length))
        birthDates[row] = bytes.subarray(at + 5, at + 5 + view.getInt32(at, true));
      else if (isAt(names.dataKey, bytes, nameStart, length) && !dataKeys.some(({ id }) => isAt(id, bytes, at, 12)))
        dataKeys.push(new Types.ObjectId(bytes.subarray(at, at + 12)));
    });
  });

  const derived = features.flatMap((feature, column) => (feature.source ? [{ feature, column }] : []));
  return {
    ids,
    given,
    dataKeys,
    complete(read, on, start, end, onError) {
      for (let row = start; row < end; row += 1) {
        const sealed = birthDates[row];
        try {
          for (const { feature, column } of derived) {
            const at = row * width + column;
            if (!Number.isNaN(given[at])) continue;
            const birthDate =
              sealed && feature.source === 'PATIENT_AGE'
                ? decryptBirthDate(read, ids[row]!, toBinary(sealed))
                : undefined;
            given[at] = derivedInput(feature, { sex: sexes[row], birthDate }, on) ?? Number.NaN;
          }
        } catch (error) {
          onError(row, error);
        }
      }
    },
  };
}

const names = {
  _id: Buffer.from('_id'),
  features: Buffer.from('features'),
  code: Buffer.from('code'),
  value: Buffer.from('value'),
  sex: Buffer.from('sex'),
  birthDate: Buffer.from('birthDate'),
  dataKey: Buffer.from('dataKey'),
};

/** Whether the `length` bytes at `start` are those expected. */
function isAt(expected: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (length !== expected.length) return false;
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== expected[index]) return false;
  return true;
}
