import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Manifest, writeBundle } from './bundle.js';

/** Inputs of a model that a library exported, and the library's own output for each row. */
interface ExportedFacts {
  readonly rows: readonly (readonly number[])[];
  readonly background: number[][];
  /** [row][column]: probabilities of the classes, or one quantity. */
  readonly output: readonly (readonly number[])[];
}

const path = (file: string): string => fileURLToPath(new URL(`../exporters/outputs/${file}`, import.meta.url));

/** Reads the rows and outputs of an export of training/interop/output_spaces.py. */
export async function exportedFacts(name: string): Promise<ExportedFacts> {
  return JSON.parse(await readFile(path(`${name}.json`), 'utf8')) as ExportedFacts;
}

/** The features of a row by their codes f0, f1, ... */
export const featuresOf = (row: readonly number[]): Record<string, number> =>
  Object.fromEntries(row.map((value, index) => [`f${index}`, value]));

const exportedFeatures: Manifest['features'] = [0, 1, 2, 3].map((index) => ({
  code: `f${index}`,
  label: `Feature ${index}`,
  unit: '1',
  unitLabel: '',
  kind: 'CONTINUOUS',
  range: { min: -100, max: 100 },
  missing: { policy: 'REQUIRED' },
}));

export const days: NonNullable<Manifest['quantity']> = { unit: 'd', unitLabel: 'days' };

/** The bands of a length of stay. */
export const dayBands: Manifest['riskBands'] = [
  { band: 'LOW', from: 0, meaning: 'short' },
  { band: 'HIGH', from: 1, meaning: 'long' },
];

/**
 * Writes a bundle of an exported model that gives a length of stay. Its golden vectors are the library's own output.
 * @returns the directory
 */
export async function writeQuantityBundle(
  directory: string,
  name: string,
  outputSpace: Manifest['outputSpace'],
  changes: Partial<Manifest> = {},
): Promise<string> {
  const { rows, background, output } = await exportedFacts(name);
  return writeBundle(directory, {
    model: new Uint8Array(await readFile(path(`${name}.onnx`))),
    background,
    manifest: {
      id: name,
      outcome: 'length of stay',
      outputSpace,
      quantity: days,
      riskBands: dayBands,
      features: exportedFeatures,
      training: { data: 'none', patients: 300, algorithm: name },
      golden: rows.map((row, index) => ({ features: featuresOf(row), value: output[index]![0]! })),
      ...changes,
    },
  });
}

export const grades = ['mild', 'moderate', 'severe'] as const;

/**
 * Writes a bundle of an exported model with the classes mild, moderate and severe. Its golden vectors are the library's
 * own output.
 * @returns the directory
 */
export async function writeClassBundle(
  directory: string,
  name: string,
  outputSpace: Manifest['outputSpace'],
  {
    background: hasBackground = true,
    ...changes
  }: Partial<Omit<Manifest, 'background'>> & { background?: boolean } = {},
): Promise<string> {
  const { rows, background, output } = await exportedFacts(name);
  return writeBundle(directory, {
    model: new Uint8Array(await readFile(path(`${name}.onnx`))),
    ...(hasBackground && { background }),
    manifest: {
      id: name,
      outcome: 'a fracture of this grade',
      outputSpace,
      classes: [...grades],
      riskClass: 'severe',
      outputIndex: 2,
      features: exportedFeatures,
      golden: rows.map((row, index) => ({
        features: featuresOf(row),
        classes: Object.fromEntries(grades.map((grade, place) => [grade, output[index]![place]!])),
      })),
      ...changes,
    },
  });
}
