import { Types } from 'mongoose';
import { AdministrativeGender } from '../../models/index.js';
import type { Patient } from '../scope/patient.js';
import type { ModelFeature } from '../risk/manifest.js';

const givenNames: Readonly<Record<AdministrativeGender, readonly string[]>> = {
  [AdministrativeGender.FEMALE]: [
    'Amara',
    'Beatriz',
    'Chiara',
    'Dina',
    'Elif',
    'Freya',
    'Greta',
    'Hana',
    'Ines',
    'Jana',
  ],
  [AdministrativeGender.MALE]: ['Anton', 'Bruno', 'Cem', 'Dario', 'Emil', 'Farid', 'Goran', 'Hugo', 'Ivan', 'Jonas'],
  [AdministrativeGender.OTHER]: [],
  [AdministrativeGender.UNKNOWN]: [],
};
const familyNames = [
  'Adler',
  'Bauer',
  'Costa',
  'Demir',
  'Engel',
  'Fischer',
  'Garcia',
  'Horvat',
  'Ivanov',
  'Jansen',
  'Keller',
  'Lindt',
];

/** The parts of a model's feature that a value is invented from. */
export type SyntheticFeature = Pick<ModelFeature, 'code' | 'kind' | 'missing' | 'codes' | 'range' | 'source'>;

/** Share of values that are left out when no model requires them. */
const missingShare = 0.1;

/**
 * Invents patients, the same ones for the same seed. No person's data are used. Values lie around the middle of the
 * ranges that the models allow. They suffice to try the system, and say nothing about any population.
 * @param features the features of the served models; required ones always have a value
 */
export function syntheticPatients(
  count: number,
  seed: number,
  features: readonly SyntheticFeature[],
  now: Date,
): Omit<Patient, 'organization'>[] {
  return Array.from({ length: count }, (_, index) => {
    // Each patient has its own generator, so that patient 7 is the same among 20 and among 20,000.
    const random = seededRandom(seed * 1_000_003 + index);
    const sex = random() < 0.5 ? AdministrativeGender.FEMALE : AdministrativeGender.MALE;
    const age = Math.round(38 + 40 * random());
    const birthDate = new Date(
      Date.UTC(now.getUTCFullYear() - age - 1, Math.floor(12 * random()), 1 + Math.floor(28 * random())),
    );
    return {
      _id: new Types.ObjectId(),
      mrn: `SYN-${seed}-${String(index + 1).padStart(6, '0')}`,
      givenName: pick(givenNames[sex], random),
      familyName: pick(familyNames, random),
      birthDate: birthDate.toISOString().slice(0, 10),
      sex,
      features: features.flatMap((feature) => {
        const value = syntheticValue(feature, random);
        return value === undefined ? [] : [{ code: feature.code, value, recordedAt: now }];
      }),
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
  });
}

/** Invents a value. @returns undefined when it comes from the patient's record, or is left out */
function syntheticValue(feature: SyntheticFeature, random: () => number): number | undefined {
  if (feature.source) return undefined;
  const leftOut = random() < missingShare;
  const position = (random() + random() + random()) / 3;
  if (feature.missing.policy !== 'REQUIRED' && leftOut) return undefined;
  if (feature.codes) return feature.codes[Math.floor(position * feature.codes.length)]!.value;
  const { min, max } = feature.range!;
  const middle = feature.missing.policy === 'IMPUTE' ? feature.missing.value : (min + max) / 2;
  // The value lies around the typical one, between the ends of the range. It is rounded as people write such values.
  const value =
    position < 0.5 ? middle - (0.5 - position) * (middle - min) : middle + (position - 0.5) * (max - middle);
  const step = max - min > 20 || feature.kind === 'COUNT' ? 1 : 0.1;
  return Math.min(max, Math.max(min, Number((Math.round(value / step) * step).toFixed(1))));
}

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!;

/**
 * Returns a generator (mulberry32) of numbers that are uniform on [0, 1).
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
