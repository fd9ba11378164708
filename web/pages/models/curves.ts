import type { ConsoleModelInputsQuery, FeatureValueInput } from '../../generated/graphql.js';
import type { Feature } from './model.js';

/** Values along the range of a feature. */
const gridSize = 20;
/** Patients with a line of their own. All others only count for the grey places. */
const mostCurves = 15;
/** Part of the patients' range by which the grid reaches beyond it on either side. */
const margin = 0.25;

/** Simulations of one request. */
export const simulationsPerRequest = 10;

type Prediction = ConsoleModelInputsQuery['predictions']['edges'][number]['node'];
type Values = readonly FeatureValueInput[];

/** The newest inputs of each patient. @param predictions newest first */
export function inputsOfPatients(predictions: readonly Prediction[]): Values[] {
  const newest = new Map<string, Values>();
  for (const { patientId, inputs } of predictions)
    if (!newest.has(patientId))
      newest.set(
        patientId,
        inputs.map(({ code, value }) => ({ code, value: value ?? null })),
      );
  return [...newest.values()];
}

/** The patients' own values of a feature. Missing ones are left out. */
export const observedValues = (patients: readonly Values[], { code }: Feature): number[] =>
  patients.flatMap((values) => values.find((own) => own.code === code)?.value ?? []);

/** The values that are tried: every code, or steps through the patients' range and a little beyond it. */
export function gridOf({ codes, range, kind }: Feature, observed: readonly number[]): number[] {
  if (codes) return codes.map(({ value }) => value);
  const own = observed.length > 0 ? observed : range ? [range.min, range.max] : [0, 1];
  const [low, high] = [Math.min(...own), Math.max(...own)];
  const more = (high - low || Math.abs(low) || 1) * margin;
  const from = Math.max(range?.min ?? -Infinity, low - more);
  const to = Math.min(range?.max ?? Infinity, high + more);
  const steps = Array.from({ length: gridSize }, (_, index) => from + ((to - from) * index) / (gridSize - 1));
  return [
    ...new Set(steps.map((value) => (kind === 'COUNT' ? Math.round(value) : Number(value.toPrecision(4))))),
  ].filter((value) => value >= (range?.min ?? -Infinity) && value <= (range?.max ?? Infinity));
}

/** Patients whose lines are drawn: evenly taken from all. */
export function drawnPatients(patients: readonly Values[]): Values[] {
  const step = Math.max(1, patients.length / mostCurves);
  return Array.from(
    { length: Math.min(mostCurves, patients.length) },
    (_, index) => patients[Math.floor(index * step)]!,
  );
}

/** The values of a patient with another value of one feature. */
export const withValue = (values: Values, code: string, value: number): FeatureValueInput[] => [
  ...values.filter((own) => own.code !== code),
  { code, value },
];
