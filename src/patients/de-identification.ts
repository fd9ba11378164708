/*
 * De-identification: ages as viewers without the right to exact ages may see them.
 */
import { mayViewer } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import type { ModelFeature } from '../risk/manifest.js';

/**
 * Age in years that stands for itself and all higher ages. Very few people are older, so an exact age could identify
 * them. Applies to viewers without the right to exact ages. Source: HIPAA's Safe Harbor method, 45 CFR
 * 164.514(b)(2)(i)(C).
 */
const pooledAge = 90;

/** The parts of a feature's definition that tell whether it is an age. */
type AgeFeature = Pick<ModelFeature, 'source' | 'unit'>;

/**
 * UCUM's units of time for ages: the number of each in a year of 365.25 days.
 * https://ucum.org/ucum#section-Other-Units
 */
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

/** Tells whether this viewer sees exact ages. */
export const seesExactAge = (viewer: Viewer | null): boolean =>
  viewer !== null && mayViewer(viewer, 'patient:read-exact-age');

/**
 * An age in years as the viewer may see it. A viewer without the right to exact ages gets whole years, at most 90: a
 * fraction of a year would give the exact birthday.
 */
export function shownAge<T extends number | null>(age: T, viewer: Viewer | null): T {
  return age !== null && !seesExactAge(viewer) ? (Math.min(Math.floor(age), pooledAge) as T) : age;
}

/**
 * Tells whether a feature is an age. One of three must hold:
 * - its model takes it from the birth date
 * - its code is `age`
 * - its code has the word `age` in it (`age_at_onset`, not `stage`), and its unit is a unit of time
 * @param feature its definition; undefined when no model served has this feature any more: then the word alone decides
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
  if (value === null || seesExactAge(viewer) || !isAge(code, feature)) return value;
  const perYear = yearIn(feature);
  return (shownAge(value / perYear, viewer) * perYear) as T;
}

/** Tells whether a value, as this viewer sees it, stands for all ages from 90 on. */
export function isPooled(code: string, feature: AgeFeature, shown: number | null, viewer: Viewer | null): boolean {
  return shown !== null && isAge(code, feature) && !seesExactAge(viewer) && shown === pooledAge * yearIn(feature);
}

/** Number of the feature's units in a year; 1 when the unit is unknown. */
const yearIn = (feature: AgeFeature | undefined): number =>
  feature && Object.hasOwn(unitsPerYear, feature.unit) ? unitsPerYear[feature.unit]! : 1;
