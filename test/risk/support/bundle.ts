import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../src/risk/bundle/bundle-files.js';
import { encodeFeatures } from '../../../src/risk/encode.js';
import type { RiskModelManifest } from '../../../src/risk/manifest.js';
import { parseModel, prepareRows } from '../../../src/risk/parse-model.js';
import { createScoreOfRow } from '../../../src/risk/served-output.js';
import { rawOutputs } from '../../../src/risk/trees/route.js';
import { classificationModel, classifierNode, type Tree } from './small-models.js';

const counted = (weight: number, cover: number): Tree => ({ weights: [[0, weight]], cover });

/** A forest over age, pressure (may be missing) and pain type, with real covers. It tracks missing values. */
export const bundleTrees: readonly Tree[] = [
  {
    feature: 0,
    at: 50,
    tracks: true,
    cover: 10,
    yes: { feature: 1, at: 120, cover: 6, yes: counted(0.0625, 4), no: counted(0.25, 2) },
    no: counted(0.375, 4),
  },
  { feature: 2, at: 1.5, cover: 10, yes: counted(0.125, 7), no: counted(0.5, 3) },
];

export type Manifest = RiskModelManifest;

export function exampleManifest(modelBytes: Uint8Array, changes: Partial<Manifest> = {}): Manifest {
  return {
    schemaVersion: 1,
    id: 'example',
    version: '1.0.0',
    name: 'Example',
    description: 'An example.',
    intendedUse: 'Tests.',
    outcome: 'the event',
    model: { file: 'model.onnx', sha256: sha256(modelBytes) },
    outputSpace: 'PROBABILITY',
    outputIndex: 0,
    calibration: { method: 'NONE' },
    riskBands: [
      { band: 'LOW', from: 0, meaning: 'low' },
      { band: 'HIGH', from: 0.5, meaning: 'high' },
    ],
    features: [
      {
        code: 'age',
        label: 'Age',
        unit: 'a',
        unitLabel: 'years',
        kind: 'CONTINUOUS',
        range: { min: 18, max: 120 },
        missing: { policy: 'REQUIRED' },
        source: 'PATIENT_AGE',
      },
      {
        code: 'resting_bp',
        label: 'Resting blood pressure',
        unit: 'mm[Hg]',
        unitLabel: 'mm Hg',
        kind: 'CONTINUOUS',
        range: { min: 50, max: 300 },
        missing: { policy: 'IMPUTE', value: 130, meaning: 'the median' },
      },
      {
        code: 'chest_pain',
        label: 'Chest pain',
        unit: '1',
        unitLabel: '',
        kind: 'CATEGORICAL',
        codes: [
          { value: 1, label: 'typical' },
          { value: 2, label: 'asymptomatic' },
        ],
        missing: { policy: 'NATIVE', meaning: 'not asked' },
      },
    ],
    training: { data: 'none', patients: 10, events: 4, algorithm: 'by hand' },
    metrics: [],
    golden: [
      { features: { age: 60, resting_bp: 140, chest_pain: 2 }, rawOutput: 0.875, probability: 0.875 },
      { features: { age: 40, resting_bp: 110, chest_pain: 1 }, rawOutput: 0.1875, probability: 0.1875 },
      { features: { age: 40, resting_bp: 140, chest_pain: 1 }, rawOutput: 0.375, probability: 0.375 },
    ],
    ...changes,
  };
}

export interface BundleChanges {
  readonly manifest?: Partial<Manifest> | string;
  readonly model?: Uint8Array;
  readonly card?: string | null;
  readonly background?: (number | null)[][];
  /** True: no golden vectors of the model's own output are added. */
  readonly goldenAsGiven?: boolean;
}

/** Returns golden vectors of the model's own output, for tests that are about something else. */
function ownGolden(manifest: Manifest, model: Uint8Array): Manifest['golden'] {
  const parsed = parseModel(model);
  const scoreOfRow = createScoreOfRow(manifest, parsed);
  return [1, 2, 3].map((step) => {
    const features = Object.fromEntries(
      manifest.features.map(({ code, codes, range }) => [
        code,
        codes ? codes[step % codes.length]!.value : Math.round(range!.min + ((range!.max - range!.min) * step) / 4),
      ]),
    );
    const { used } = encodeFeatures(manifest, features, Math.fround);
    const { probability, quantity, classes } = scoreOfRow(rawOutputs(parsed.ensemble, prepareRows(parsed, used, 1), 1));
    if (manifest.quantity) return { features, value: quantity };
    if (!manifest.classes) return { features, probability };
    const ofClasses = manifest.classes.map((name, place) => [name, classes!.probabilities[place]!] as const);
    return { features, classes: Object.fromEntries(ofClasses) };
  });
}

/** Adds the model's own golden vectors up to three, when the bundle is sound enough to have some. */
function withOwnGolden(manifest: Manifest, model: Uint8Array): Manifest {
  if (manifest.golden.length >= 3) return manifest;
  try {
    return { ...manifest, golden: [...manifest.golden, ...ownGolden(manifest, model)] };
  } catch {
    return manifest;
  }
}

/** Writes a bundle directory that passes every check, with changes. */
export async function writeBundle(
  directory: string,
  {
    manifest = {},
    model = classificationModel(classifierNode(bundleTrees)),
    card = '# Example\n',
    background,
    goldenAsGiven = false,
  }: BundleChanges = {},
): Promise<string> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'model.onnx'), model);
  const rows = background && JSON.stringify(background);
  if (rows) await writeFile(join(directory, 'background.json'), rows);
  const named: Partial<Manifest> = rows
    ? { background: { file: 'background.json', rows: background.length, sha256: sha256(Buffer.from(rows)) } }
    : {};
  const complete = (changes: Partial<Manifest>): Manifest => {
    const whole = exampleManifest(model, { ...named, ...changes });
    return goldenAsGiven ? whole : withOwnGolden(whole, model);
  };
  await writeFile(
    join(directory, 'manifest.json'),
    typeof manifest === 'string' ? manifest : JSON.stringify(complete(manifest)),
  );
  if (card !== null) await writeFile(join(directory, 'MODEL_CARD.md'), card);
  return directory;
}
