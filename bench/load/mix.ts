/*
 * The mix of a hospital of 1,000 beds in its busiest hour, and the service levels that it must see.
 *
 * The figures are those of a general acute hospital, rounded up:
 *
 * - 850 of 1,000 beds are taken (85 %), and 40 wards have some 25 beds each. A stay takes five days: 170 admissions per day.
 *   250 patients per day come to the emergency department. A third of the day's work falls into three hours of the morning.
 * - Charts. 300 clinicians are on duty, and in rounds each opens a chart every minute: 5 per second. A chart shows the
 *   patient, and the latest results with their explanations.
 * - Worklists. Each ward has two screens (80), and each reads its list, highest risk first, every half minute: 2.7 per
 *   second. Each also has a WebSocket that tells it of every new prediction that its user may see.
 * - Care teams. The patients of a ward are visible to its two screens and to three of the clinicians who are at work, each
 *   of whom is on two wards.
 * - Values. Vital signs of each bed come every hour, laboratory results three times per day, in packets of one patient: 850
 *   in an hour, and all of the laboratory in the morning: 2 per second.
 * - Scoring. Each of these changes asks for a new score, at most one per patient in half an hour, and admissions and the
 *   emergency department ask too: 1 per second. The caller follows the job to its result.
 * - Logins. 600 people begin their shift within half an hour: 0.35 per second.
 * - Batches. All 850 inpatients are scored again every ten minutes, which is what a nightly run does once.
 */

/** Calls per second at factor 1. */
export const callsPerSecond = { chart: 5, worklist: 2.7, values: 2, score: 1, login: 0.35 } as const;

export type CallKind = keyof typeof callsPerSecond;

/** Wards, which share the inpatients. */
export const wards = 40;
/** Screens of wards, each with a WebSocket. */
export const screens = 80;
/** Clinicians whose calls take turns. 300 are on duty; some are at work at the same time. */
export const clinicians = 60;
/** Inpatients, who are scored together in each batch. */
export const inpatients = 850;
/** Time between two batches, seconds. */
export const batchPeriodSeconds = 600;

/** A promise: `percentile` of all measurements take at most `milliseconds`. */
interface ServiceLevel {
  readonly name: string;
  readonly percentile: number;
  readonly milliseconds: number;
}

/** What a caller may expect. docs/service-levels.md has the same table. */
export const serviceLevels = {
  chart: { name: 'a chart is shown', percentile: 99, milliseconds: 500 },
  worklist: { name: 'a page of a worklist is shown', percentile: 99, milliseconds: 1_000 },
  values: { name: 'new values of a patient are stored', percentile: 99, milliseconds: 500 },
  accepted: { name: 'a scoring job is accepted', percentile: 99, milliseconds: 500 },
  score: { name: 'the result of a single job reaches its submitter', percentile: 99, milliseconds: 2_000 },
  screen: { name: 'a new prediction reaches a screen', percentile: 99, milliseconds: 2_000 },
  login: { name: 'a login is answered', percentile: 99, milliseconds: 2_000 },
  batch: { name: 'a batch of 850 patients is done', percentile: 100, milliseconds: 60_000 },
} as const satisfies Record<string, ServiceLevel>;

export type Measured = keyof typeof serviceLevels;

/** Most failed calls, as a part of all. */
export const mostErrors = 0.001;

export const screenName = (index: number): string => `screen-${index}`;
export const clinicianName = (index: number): string => `clinician-${index}`;

/** The care team of the patients of a ward. */
export function careTeamOf(ward: number): readonly string[] {
  const isOn = (clinician: number): boolean => clinician % wards === ward || (clinician + wards / 2) % wards === ward;
  return [
    ...Array.from({ length: screens / wards }, (_, index) => screenName(ward + index * wards)),
    ...Array.from({ length: clinicians }, (_, index) => index)
      .filter(isOn)
      .map(clinicianName),
  ];
}
