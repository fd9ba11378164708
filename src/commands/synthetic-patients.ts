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

/** Share of values left out where a model can do without. */
const missingShare = 0.1;

/**
 * Invented patients, the same for the same seed: nobody's data. Values lie around the middle of what the models allow,
 * which is enough to try the system and says nothing about any population.
 * @param features those of the models served; required ones are always filled
 */
export function syntheticPatients(
  count: number,
  seed: number,
  features: readonly ModelFeature[],
  now: Date,
): Omit<Patient, 'organization'>[] {
  return Array.from({ length: count }, (_, index) => {
    // A generator a patient: patient 7 is the same one among 20 and among 20,000.
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

/** Undefined for what comes from the patient's record, and for values left out. */
function syntheticValue(feature: ModelFeature, random: () => number): number | undefined {
  if (feature.source) return undefined;
  const leftOut = random() < missingShare;
  const position = (random() + random() + random()) / 3;
  if (feature.missing.policy !== 'REQUIRED' && leftOut) return undefined;
  if (feature.codes) return feature.codes[Math.floor(position * feature.codes.length)]!.value;
  const { min, max } = feature.range!;
  const middle = feature.missing.policy === 'IMPUTE' ? feature.missing.value : (min + max) / 2;
  // Around the typical value, towards each end of the range, rounded as such a value is written down.
  const value =
    position < 0.5 ? middle - (0.5 - position) * (middle - min) : middle + (position - 0.5) * (max - middle);
  const step = max - min > 20 || feature.kind === 'COUNT' ? 1 : 0.1;
  return Math.min(max, Math.max(min, Number((Math.round(value / step) * step).toFixed(1))));
}

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!;

/** mulberry32, uniform on [0, 1). https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
