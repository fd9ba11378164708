import { mayViewer } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import type { ModelFeature } from '../risk/manifest.js';

/**
 * Ages from here on are shown as this one, to whoever may not see them exactly: so few people are as old that the age
 * itself tells who somebody is. HIPAA's Safe Harbor method, 45 CFR 164.514(b)(2)(i)(C).
 */
const pooledAge = 90;

/** What of a feature's definition says whether it is an age. */
type AgeFeature = Pick<ModelFeature, 'source' | 'unit'>;

/** UCUM's units of time that ages come in, and how many of each are a year of 365.25 days. https://ucum.org/ucum#section-Other-Units */
const unitsPerYear: Readonly<Record<string, number>> = {
  a: 1,
  a_j: 1,
  a_g: 1,
  a_t: 1,
  mo: 12,
  mo_j: 12,
  mo_g: 12,
  wk: 365.25 / 7,
  d: 365.25,
  h: 365.25 * 24,
};

/** Whether this viewer sees exact ages. */
const seesExactAge = (viewer: Viewer | null): boolean => viewer !== null && mayViewer(viewer, 'patient:read-exact-age');

/** An age in years as the viewer may see it: otherwise in whole years, as a fraction of a year tells the birthday to the day. */
export function shownAge<T extends number | null>(age: T, viewer: Viewer | null): T {
  return age !== null && !seesExactAge(viewer) ? (Math.min(Math.floor(age), pooledAge) as T) : age;
}

/**
 * Whether a feature is an age, whoever described it: its model takes it from the birth date; or its code is `age`; or has
 * the word `age` in it (`age_at_onset`, not `stage`), and its unit is one of time.
 * @param feature its definition, unknown once no model served has it: then the word alone decides
 */
export function isAge(code: string, feature: AgeFeature | undefined): boolean {
  if (feature?.source === 'PATIENT_AGE' || code === 'age') return true;
  return code.split('_').includes('age') && (!feature || Object.hasOwn(unitsPerYear, feature.unit));
}

/** A feature's value as the viewer may see it, in the feature's own unit. An age of an unknown unit counts as years. */
export function shownValue<T extends number | null>(
  code: string,
  feature: AgeFeature | undefined,
  value: T,
  viewer: Viewer | null,
): T {
  if (value === null || !isAge(code, feature) || seesExactAge(viewer)) return value;
  const perYear = yearIn(feature);
  return (shownAge(value / perYear, viewer) * perYear) as T;
}

/** Whether a value that is shown stands for all ages from 90 on. */
export function isPooled(code: string, feature: AgeFeature, shown: number | null, viewer: Viewer | null): boolean {
  return shown !== null && isAge(code, feature) && !seesExactAge(viewer) && shown === pooledAge * yearIn(feature);
}

const yearIn = (feature: AgeFeature | undefined): number =>
  feature && Object.hasOwn(unitsPerYear, feature.unit) ? unitsPerYear[feature.unit]! : 1;
