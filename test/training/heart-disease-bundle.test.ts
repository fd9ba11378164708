import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InferenceSession, Tensor } from '../../src/risk/onnx-runtime.js';
import { calibrate } from '../../src/risk/calibration.js';
import { encodeFeatures } from '../../src/risk/encode.js';
import { manifestSchema } from '../../src/risk/manifest.js';
import { parseModel } from '../../src/risk/parse-model.js';
import { createPathDependentExplainer } from '../../src/risk/shap/index.js';
import { rawOutputs } from '../../src/risk/trees/route.js';

const directory = new URL('../../risk-models/heart-disease/', import.meta.url);
const modelBytes = readFileSync(new URL('model.onnx', directory));
const card = readFileSync(new URL('MODEL_CARD.md', directory), 'utf8');
const manifest = manifestSchema.parse(JSON.parse(readFileSync(new URL('manifest.json', directory), 'utf8')));

const goldenRows = manifest.golden.map(({ features }) => encodeFeatures(manifest, features, Math.fround).used);
const goldenInputs = Float64Array.from(goldenRows.flatMap((row) => [...row]));

/** Tables of the model card, as lines of trimmed cells. */
const cardRows = card
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('the shipped heart-disease bundle', () => {
  test('holds the model that its manifest names, and no patient data', () => {
    expect(createHash('sha256').update(modelBytes).digest('hex')).toBe(manifest.model.sha256);
    expect(readdirSync(directory).sort()).toEqual(['MODEL_CARD.md', 'manifest.json', 'model.onnx']);
    expect(manifest.background).toBeUndefined();
  });

  test('has the public feature codes, in the order of the model inputs', () => {
    expect(manifest.features.map((feature) => feature.code)).toEqual([
      'age',
      'sex',
      'chest_pain_type',
      'resting_bp',
      'cholesterol',
      'fasting_blood_sugar',
      'resting_ecg',
      'max_heart_rate',
      'exercise_angina',
      'st_depression',
      'st_slope',
      'major_vessels',
      'thalassemia',
    ]);
    expect(parseModel(modelBytes).featureCount).toBe(manifest.features.length);
  });

  test('replaces every missing value by a value that the feature may have', () => {
    for (const feature of manifest.features) {
      if (feature.missing.policy !== 'IMPUTE') continue;
      const { value } = feature.missing;
      const allowed = feature.codes
        ? feature.codes.some((code) => code.value === value)
        : value >= feature.range!.min && value <= feature.range!.max;
      expect(allowed, feature.code).toBe(true);
    }
  });

  test('scores its golden vectors in ONNX Runtime and over the parsed trees', async () => {
    const session = await InferenceSession.create(modelBytes);
    const input = new Tensor('float32', Float32Array.from(goldenInputs), [goldenRows.length, manifest.features.length]);
    const probabilities = (await session.run({ X: input }))['probabilities']!.data as Float32Array;
    await session.release();
    const raw = rawOutputs(parseModel(modelBytes).ensemble, goldenInputs, goldenRows.length);
    manifest.golden.forEach((golden, index) => {
      expect(probabilities[2 * index + 1]).toBeCloseTo(golden.rawOutput!, 6);
      expect(raw[index]).toBeCloseTo(golden.rawOutput!, 12);
      expect(calibrate(manifest.calibration, raw[index]!, raw[index]!)).toBeCloseTo(golden.probability!, 12);
    });
  });

  test('explains its golden vectors as the manifest says, from real sample counts', () => {
    const { ensemble } = parseModel(modelBytes);
    const explainer = createPathDependentExplainer(ensemble);
    const values = explainer.explain(goldenInputs, goldenRows.length);
    manifest.golden.forEach((golden, row) => {
      const found = manifest.features.map((_, feature) => values[row * manifest.features.length + feature]!);
      manifest.features.forEach((feature, index) => {
        expect(found[index], `vector ${row}, ${feature.code}`).toBeCloseTo(golden.contributions![feature.code]!, 9);
      });
      expect(explainer.expectedValue[0]! + found.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
        golden.rawOutput!,
        9,
      );
    });
  });

  test('has golden vectors on both sides of every band limit', () => {
    const limits = manifest.riskBands.slice(1).map((band) => band.from);
    for (const limit of limits) {
      expect(manifest.golden.some(({ probability }) => probability! < limit)).toBe(true);
      expect(manifest.golden.some(({ probability }) => probability! >= limit)).toBe(true);
    }
  });

  test('was trained on all patients of the four hospitals', () => {
    const { training } = manifest;
    expect(training.patients).toBe(920);
    expect(training.sites!.reduce((sum, site) => sum + site.patients, 0)).toBe(training.patients);
    expect(training.sites!.reduce((sum, site) => sum + site.events!, 0)).toBe(training.events);
  });

  test('is described by a card with the same figures', () => {
    expect(card).toContain(manifest.model.sha256);
    expect(card).toContain(manifest.training.algorithm);
    expect(card).toContain('CC BY 4.0');
    for (const metric of manifest.metrics) {
      const interval = metric.confidenceInterval?.map((limit) => limit.toFixed(3)).join(' to ') ?? '';
      expect(cardRows).toContainEqual([metric.name, metric.method, metric.value.toFixed(3), interval]);
    }
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
    expect(manifest.reliability!.groups).toHaveLength(10);
    for (const { patients, predicted, observed, interval } of manifest.reliability!.groups) {
      const rate = `${percent(observed)} (${interval.map(percent).join(' to ')})`;
      expect(cardRows).toContainEqual([String(patients), percent(predicted), rate]);
    }
    for (const feature of manifest.features) {
      const row = cardRows.find(([code]) => code === `\`${feature.code}\``);
      expect(row?.at(-1), feature.code).toBe(
        feature.missing.policy === 'IMPUTE' ? `taken as ${feature.missing.value}` : 'refused',
      );
      const importance = manifest.globalImportance![feature.code]!.toFixed(4);
      expect(cardRows).toContainEqual([feature.label, importance]);
    }
  });
});
