import { mayViewer } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import type { ModelFeature } from '../risk/manifest.js';

/**
 * Ages from here on are shown as this one, to whoever may not see them exactly: so few people are as old that the age
 * itself tells who somebody is. HIPAA's Safe Harbor method, 45 CFR 164.514(b)(2)(i)(C).
 */
export const pooledAge = 90;

/** Whether this viewer sees exact ages. */
export const seesExactAge = (viewer: Viewer | null): boolean => viewer !== null && mayViewer(viewer, 'patient:read-exact-age');

/** An age as the viewer may see it: otherwise in whole years, as a fraction of a year tells the birthday to the day. */
export function shownAge<T extends number | null>(age: T, viewer: Viewer | null): T {
  return age !== null && !seesExactAge(viewer) ? (Math.min(Math.floor(age), pooledAge) as T) : age;
}

/** A feature's value as the viewer may see it. @param feature its definition, unknown once no model served has it */
export function shownValue<T extends number | null>(code: string, feature: Pick<ModelFeature, 'source'> | undefined, value: T, viewer: Viewer | null): T {
  const isAge = feature ? feature.source === 'PATIENT_AGE' : code === 'age';
  return isAge ? shownAge(value, viewer) : value;
}
