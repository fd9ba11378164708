import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRiskModel } from '../../src/risk/load-risk-model.js';
import type { OutputSpace } from '../../src/risk/output-schema.js';
import { renderWaterfall } from '../../src/risk/plots/waterfall.js';
import { bundleTrees, type Manifest, writeBundle } from './support/bundle.js';
import { days, dayBands, exportedFacts, featuresOf, writeQuantityBundle } from './support/exported-bundle.js';
import { classificationModel, leaf, regressionModel, regressorNode } from './support/small-models.js';
import { failedChecks } from './support/failed-checks.js';
import { useTemporaryDirectory } from './support/temporary-directory.js';

const directory = useTemporaryDirectory();

const links: Record<string, (raw: number) => number> = {
  IDENTITY: (raw) => raw,
  LOG: Math.exp,
};

test.each<[string, OutputSpace]>([
  ['rf-quantity', 'IDENTITY'],
  ['gb-quantity', 'IDENTITY'],
  ['hgb-quantity', 'IDENTITY'],
  ['xgb-quantity', 'IDENTITY'],
  ['lgb-quantity', 'IDENTITY'],
  ['hgb-poisson', 'LOG'],
  ['hgb-gamma', 'LOG'],
  ['lgb-poisson', 'LOG'],
  ['lgb-gamma', 'LOG'],
  ['lgb-tweedie', 'LOG'],
])("%s in %s gives the library's own quantity, and its explanation adds up", async (name, outputSpace) => {
  const model = await loadRiskModel(await writeQuantityBundle(join(directory.path, name), name, outputSpace));
  try {
    const { rows, output } = await exportedFacts(name);
    const encoded = rows.map((row) => model.encode(featuresOf(row)));
    const scores = await model.score(encoded);
    const explanations = await model.explain(encoded);
    scores.forEach((score, index) => {
      const expected = output[index]![0]!;
      expect(score.probability).toBeUndefined();
      expect(score.quantity).toBeCloseTo(expected, 5);
      expect(score.riskBand).toBe(expected < 1 ? 'LOW' : 'HIGH');
      const { baseValue, contributions, outputSpace: space } = explanations[index]!;
      const sum = contributions.reduce((total, value) => total + value, baseValue);
      expect(space).toBe(outputSpace);
      expect(links[outputSpace]!(sum)).toBeCloseTo(score.quantity!, 9);
    });
  } finally {
    await model.close();
  }
});

test.each<[string, OutputSpace, string]>([
  ['xgb-logistic', 'LOG_ODDS', 'golden vector 1: its value differs'],
  ['lgb-poisson', 'IDENTITY', "the trees add up before the model's EXP; write LOG"],
])('%s in %s is refused, because the library gives another quantity', async (name, outputSpace, message) => {
  const path = await writeQuantityBundle(join(directory.path, `wrong-${name}`), name, outputSpace);
  expect(await failedChecks(path)).toContain(message);
});

test('a quantity that is called a probability is refused', async () => {
  const path = await writeQuantityBundle(join(directory.path, 'probability'), 'gb-quantity', 'PROBABILITY', {
    quantity: undefined,
    riskBands: [{ band: 'LOW', from: 0, meaning: 'short' }],
    training: { data: 'none', patients: 300, events: 10, algorithm: 'boosting' },
    golden: [],
  });
  expect(await failedChecks(path)).toMatch(
    /outputSpace is PROBABILITY, but the trees can add up to [\d.]+ and to [\d.]+;/,
  );
});

test('a logistic regressor gives a share, which is a quantity in LOG_ODDS', async () => {
  const model = await loadRiskModel(
    await writeBundle(join(directory.path, 'share'), {
      model: regressionModel([regressorNode(bundleTrees)]),
      manifest: {
        outputSpace: 'LOG_ODDS',
        quantity: { unit: '1', unitLabel: '' },
        riskBands: dayBands,
        training: { data: 'none', patients: 10, algorithm: 'by hand' },
        golden: [{ features: { age: 60, resting_bp: 140, chest_pain: 2 }, value: 1 / (1 + Math.exp(-0.875)) }],
      },
    }),
  );
  const [score] = await model.score([model.encode({ age: 60, resting_bp: 140, chest_pain: 2 })]);
  expect(score).toEqual({ rawOutput: 0.875, quantity: 1 / (1 + Math.exp(-0.875)), riskBand: 'LOW' });
  await model.close();
});

const quantity: Partial<Manifest> = {
  outputSpace: 'IDENTITY',
  quantity: days,
  riskBands: dayBands,
  training: { data: 'none', patients: 10, algorithm: 'by hand' },
  golden: [],
};

test.each<[string, Partial<Manifest>, Uint8Array | undefined, string]>([
  ['without a unit', { quantity: undefined }, undefined, "IDENTITY needs the quantity's unit and unitLabel"],
  ['in PROBABILITY', { outputSpace: 'PROBABILITY' }, undefined, 'a quantity adds up in IDENTITY, LOG or LOG_ODDS'],
  ['in a wrong unit', { quantity: { unit: 'days', unitLabel: '' } }, undefined, 'which is not a UCUM unit'],
  [
    'with a calibration',
    { calibration: { method: 'LOGISTIC', slope: 1, intercept: 0 } },
    undefined,
    'a quantity has no calibration',
  ],
  ['of a classifier', {}, classificationModel(), 'but the model is a classifier'],
  [
    'whose golden vector is a probability',
    { golden: [{ features: { age: 60 }, probability: 0.5 }] },
    undefined,
    "golden.0.value: the library's value is missing",
  ],
  [
    'whose exponential has no end',
    { outputSpace: 'LOG' },
    regressionModel([regressorNode([leaf(200)])]),
    'whose exponential is beyond float32',
  ],
])('a quantity %s is refused', async (name, changes, model, message) => {
  const path = await writeBundle(join(directory.path, name.replaceAll(' ', '-')), {
    model: model ?? regressionModel([regressorNode(bundleTrees)]),
    manifest: { ...quantity, ...changes },
  });
  expect(await failedChecks(path)).toContain(message);
});

test('the waterfall of a quantity speaks of its unit and never of a probability', () => {
  const svg = renderWaterfall({
    manifest: { name: 'Stay', version: '1.0.0', outcome: 'length of stay', outputSpace: 'LOG', quantity: days },
    score: { quantity: 7.25, riskBand: 'HIGH' },
    explanation: { baseValue: 1, outputValue: 1.98 },
    contributions: [{ label: 'Age', displayValue: '80 years', value: 0.98 }],
  });
  expect(svg).toContain('7.25 days, high risk, length of stay. In logarithm of days: from the base value');
  expect(svg).toContain('what moved this quantity');
  expect(svg).not.toMatch(/probability/i);
});
