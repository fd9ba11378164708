import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRiskModel } from '../../src/risk/load-risk-model.js';
import type { OutputSpace } from '../../src/risk/output-schema.js';
import type { Manifest } from './support/bundle.js';
import { days, exportedFacts, featuresOf, writeClassBundle } from './support/exported-bundle.js';
import { failedChecks } from './support/failed-checks.js';
import { useTemporaryDirectory } from './support/temporary-directory.js';

const directory = useTemporaryDirectory();

test.each<[string, OutputSpace]>([
  ['rf-classes', 'PROBABILITY'],
  ['gb-classes', 'LOG_ODDS'],
  ['hgb-classes', 'LOG_ODDS'],
  ['xgb-classes', 'LOG_ODDS'],
  ['lgb-classes', 'LOG_ODDS'],
])("%s gives the library's own probability of every class, and every explanation adds up", async (name, space) => {
  const model = await loadRiskModel(await writeClassBundle(join(directory.path, name), name, space));
  try {
    const { rows, output } = await exportedFacts(name);
    const encoded = rows.map((row) => model.encode(featuresOf(row)));
    const scores = await model.score(encoded);
    expect(model.shapMethods).toContain('INTERVENTIONAL');
    for (const method of model.shapMethods) {
      const [risk, all] = [await model.explain(encoded, method), await model.explainClasses(encoded, method)];
      scores.forEach(({ rawOutput, probability, classes }, row) => {
        output[row]!.forEach((expected, place) => expect(classes!.probabilities[place]).toBeCloseTo(expected, 6));
        expect([rawOutput, probability]).toEqual([classes!.rawOutputs[2], classes!.probabilities[2]]);
        all[row]!.forEach(({ baseValue, contributions }, place) => {
          const sum = contributions.reduce((total, value) => total + value, baseValue);
          expect(sum).toBeCloseTo(classes!.rawOutputs[place]!, 9);
        });
        risk[row]!.contributions.forEach((value, feature) =>
          expect(all[row]![2]!.contributions[feature]).toBeCloseTo(value, 12),
        );
      });
    }
  } finally {
    await model.close();
  }
});

test('an export whose classes the library gives otherwise is refused', async () => {
  const path = await writeClassBundle(join(directory.path, 'ova'), 'lgb-classes-ova', 'LOG_ODDS');
  expect(await failedChecks(path)).toMatch(/golden vector 1: its probability of class "\w+" differs/);
});

test.each<[string, Partial<Omit<Manifest, 'background'>>, string]>([
  [
    'fewer than the model has',
    { classes: ['mild', 'severe'], outputIndex: 1, golden: [] },
    'it names 2 classes and the model has 3',
  ],
  ['the same twice', { classes: ['mild', 'mild', 'severe'] }, 'a class appears twice'],
  ['no risk class', { riskClass: undefined }, 'name the class that gives the risk band'],
  ['another class by outputIndex', { outputIndex: 0 }, 'leave outputIndex out'],
  ['a quantity', { quantity: days }, 'a quantity has no classes'],
  ['a calibration', { calibration: { method: 'LOGISTIC', slope: 1, intercept: 0 } }, 'classes have no calibration'],
  ['labels in another order', { classes: ['1', '0', '2'], riskClass: '2', golden: [] }, 'in another order'],
  ['an unknown class in a golden vector', { golden: [{ features: {}, classes: { x: 1 } }] }, 'not among "classes"'],
])('a manifest with classes and %s is refused', async (name, changes, message) => {
  const path = await writeClassBundle(
    join(directory.path, name.replaceAll(' ', '-')),
    'rf-classes',
    'PROBABILITY',
    changes,
  );
  expect(await failedChecks(path)).toContain(message);
});
