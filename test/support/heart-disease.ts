import { readFileSync } from 'node:fs';
import { manifestSchema } from '../../src/risk/manifest.js';

/** The manifest of the shipped model, from the repository. */
export const heartDisease = manifestSchema.parse(
  JSON.parse(readFileSync(new URL('../../risk-models/heart-disease/manifest.json', import.meta.url), 'utf8')),
);

export const modelId = heartDisease.id;

/** Values in the form that the API takes. */
export interface GivenFeature {
  readonly code: string;
  readonly value: number | null;
}

/** The values of a golden vector, without those that are missing. */
export function goldenFeatures(index: number): GivenFeature[] {
  return Object.entries(heartDisease.golden[index]!.features).flatMap(([code, value]) =>
    value === null ? [] : [{ code, value }],
  );
}

let patients = 0;

/** A patient that the shipped model can score, with an MRN that no other test uses. */
export function newPatient<T extends object>(overrides?: T) {
  patients += 1;
  return { mrn: `TEST-${process.pid}-${patients}`, features: goldenFeatures(0), ...overrides };
}
