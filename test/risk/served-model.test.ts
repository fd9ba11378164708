import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadRiskModel } from '../../src/risk/load-risk-model.js';
import { InvalidFeaturesError, type RiskModel } from '../../src/risk/risk-model.js';
import { bundleTrees, type BundleChanges, writeBundle } from './support/bundle.js';
import { classificationModel, classifierNode, leaf, regressionModel, regressorNode } from './support/small-models.js';
import { useTemporaryDirectory } from './support/temporary-directory.js';

const directory = useTemporaryDirectory();
let count = 0;

async function withModel(changes: BundleChanges, work: (model: RiskModel) => Promise<void>): Promise<void> {
  const model = await loadRiskModel(await writeBundle(join(directory.path, `bundle-${count++}`), changes));
  try {
    await work(model);
  } finally {
    await model.close();
  }
}

const patient = { age: 60, resting_bp: 140, chest_pain: 2 };

describe('a served risk model', () => {
  test('scores and explains, and the explanation adds up to the raw output', () =>
    withModel({}, async (model) => {
      const row = model.encode(patient);
      expect(await model.score([row])).toEqual([{ rawOutput: 0.875, probability: 0.875, riskBand: 'HIGH' }]);
      const [explanation] = await model.explain([row]);
      expect(explanation).toMatchObject({ method: 'PATH_DEPENDENT', outputSpace: 'PROBABILITY', outputValue: 0.875 });
      expect(explanation!.baseValue).toBeCloseTo(0.4 * 0.0625 + 0.2 * 0.25 + 0.4 * 0.375 + 0.7 * 0.125 + 0.3 * 0.5, 12);
      expect(explanation!.additivityError).toBeLessThan(1e-12);
      expect(explanation!.contributions[2]).toBeCloseTo(0.5 - (0.7 * 0.125 + 0.3 * 0.5), 12);
    }));

  test('fills in missing values by the policy of each feature', () =>
    withModel({}, async (model) => {
      const row = model.encode({ age: 60, resting_bp: null });
      expect(row.given).toEqual([60, null, null]);
      expect([...row.used]).toEqual([60, 130, Number.NaN]);
      expect(model.displayValue(model.manifest.features[1]!, null)).toBe('missing (taken as 130 mm Hg)');
      expect(model.displayValue(model.manifest.features[2]!, null)).toBe('missing');
      expect(model.displayValue(model.manifest.features[2]!, 2)).toBe('asymptomatic');
      expect(model.displayValue(model.manifest.features[0]!, 60.5)).toBe('60.5 years');
    }));

  test('rounds to float32 like the input of the model', () =>
    withModel({}, async (model) => {
      expect(model.encode({ ...patient, age: 50.000000001 }).used[0]).toBe(50);
    }));

  test('names every issue at once, with unit and range but without the value', () =>
    withModel({}, async (model) => {
      const wrong = (): unknown => model.encode({ restingbp: 140, resting_bp: 31337, chest_pain: 7 });
      expect(wrong).toThrow(InvalidFeaturesError);
      try {
        wrong();
      } catch (error) {
        const { issues, message } = error as InvalidFeaturesError;
        expect(issues).toEqual([
          { code: 'restingbp', message: 'is not a feature of example@1.0.0: did you mean "resting_bp"?' },
          { code: 'age', message: 'is required, in years' },
          { code: 'resting_bp', message: 'must be between 50 and 300 mm Hg' },
          { code: 'chest_pain', message: 'must be 1 (typical) or 2 (asymptomatic)' },
        ]);
        expect(message).not.toContain('31337');
      }
    }));

  test.each([Number.NaN, Infinity, -Infinity])('refuses %d', (value) =>
    withModel({}, async (model) => {
      expect(() => model.encode({ ...patient, age: value })).toThrow(
        'age: must be a finite number, between 18 and 120 years',
      );
    }),
  );

  test('does not repeat the text that a caller gave as a code', () =>
    withModel({}, async (model) => {
      expect(() => model.encode({ ...patient, 'Doe, Jane 1950-01-01': 1 })).toThrow(
        '(a code with a blank): is not a feature of example@1.0.0: it takes age, resting_bp, chest_pain',
      );
      expect(() =>
        model.encode(JSON.parse('{"age": 60, "__proto__": 1, "toString": 2}') as Record<string, number>),
      ).toThrow(InvalidFeaturesError);
    }));

  test('explains against a background when asked', () =>
    withModel(
      {
        background: [
          [60, 130, 2],
          [40, 110, 1],
          [70, 150, 1],
        ],
      },
      async (model) => {
        expect(model.shapMethods).toEqual(['PATH_DEPENDENT', 'INTERVENTIONAL']);
        const [explanation] = await model.explain([model.encode(patient)], 'INTERVENTIONAL');
        expect(explanation!.method).toBe('INTERVENTIONAL');
        expect(explanation!.baseValue).toBeCloseTo((0.875 + 0.1875 + 0.5) / 3, 12);
        expect(explanation!.additivityError).toBeLessThan(1e-12);
      },
    ));

  test('names the known methods when asked for another one', () =>
    withModel({}, async (model) => {
      await expect(model.explain([model.encode(patient)], 'INTERVENTIONAL')).rejects.toThrow(
        'example@1.0.0: it cannot be explained by INTERVENTIONAL; ask for PATH_DEPENDENT',
      );
    }));

  test.each<[string, BundleChanges, number]>([
    [
      'LOGISTIC',
      { manifest: { calibration: { method: 'LOGISTIC', slope: 2, intercept: -1 }, golden: [] } },
      1 / (1 + Math.exp(-0.75)),
    ],
    [
      'PIECEWISE_LINEAR',
      {
        manifest: {
          calibration: {
            method: 'PIECEWISE_LINEAR',
            points: [
              [0.5, 0.2],
              [1, 0.6],
            ],
          },
          golden: [],
        },
      },
      0.5,
    ],
    [
      'PIECEWISE_LINEAR below its points',
      {
        manifest: {
          calibration: {
            method: 'PIECEWISE_LINEAR',
            points: [
              [0.9, 0.2],
              [1, 0.6],
            ],
          },
          golden: [],
        },
      },
      0.2,
    ],
    [
      'PIECEWISE_LINEAR above its points',
      {
        manifest: {
          calibration: {
            method: 'PIECEWISE_LINEAR',
            points: [
              [0, 0],
              [0.5, 0.9],
            ],
          },
          golden: [],
        },
      },
      0.9,
    ],
    [
      'NONE, log-odds with LOGISTIC',
      {
        model: classificationModel(classifierNode(bundleTrees, { post_transform: 'LOGISTIC' })),
        manifest: { outputSpace: 'LOG_ODDS', golden: [] },
      },
      1 / (1 + Math.exp(-0.875)),
    ],
    [
      'NONE, log-odds of a regressor',
      { model: regressionModel([regressorNode(bundleTrees)]), manifest: { outputSpace: 'LOG_ODDS', golden: [] } },
      1 / (1 + Math.exp(-0.875)),
    ],
  ])('calibration %s', (_, changes, probability) =>
    withModel(changes, async (model) => {
      const [score] = await model.score([model.encode(patient)]);
      expect(score!.probability).toBeCloseTo(probability, 12);
    }),
  );

  test('gives one class of several its own probability', () => {
    const trees = [
      {
        feature: 0,
        at: 50,
        cover: 2,
        yes: { ...leaf(1, 0), cover: 1 },
        no: {
          weights: [
            [1, 1],
            [2, 2],
          ] as const,
          cover: 1,
        },
      },
    ];
    const model = classificationModel(
      classifierNode(trees, { classlabels_int64s: [0, 1, 2], post_transform: 'SOFTMAX' }),
      {
        outputs: [
          { name: 'label', type: 7, shape: [null] },
          { name: 'scores', shape: [null, 3] },
        ],
      },
    );
    return withModel({ model, manifest: { outputSpace: 'LOG_ODDS', outputIndex: 2, golden: [] } }, async (served) => {
      const row = served.encode(patient);
      const [score] = await served.score([row]);
      expect(score!.rawOutput).toBe(2);
      expect(score!.probability).toBeCloseTo(Math.exp(2) / (1 + Math.exp(1) + Math.exp(2)), 12);
      expect((await served.explain([row]))[0]!.outputValue).toBe(2);
    });
  });

  test('many rows are scored in slices between which others run', () =>
    withModel({}, async (model) => {
      const rows = Array.from({ length: 500 }, (_, index) => model.encode({ ...patient, age: 20 + (index % 80) }));
      let turns = 0;
      let finished = false;
      const counting = (): void => {
        turns++;
        if (!finished) setImmediate(counting);
      };
      setImmediate(counting);
      const explanations = await model.explain(rows);
      finished = true;
      expect(explanations).toHaveLength(500);
      expect(turns).toBeGreaterThan(2);
      expect(await model.score(rows)).toHaveLength(500);
      expect(await model.score([])).toEqual([]);
    }));

  test('stops when aborted, before and between slices', () =>
    withModel({}, async (model) => {
      const rows = Array.from({ length: 5000 }, () => model.encode(patient));
      await expect(model.score(rows, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
      const controller = new AbortController();
      setImmediate(() => controller.abort(new Error('cancelled later')));
      await expect(model.explain(rows, undefined, controller.signal)).rejects.toThrow('cancelled later');
    }));

  test('the shipped model loads through the same gate', async () => {
    const model = await loadRiskModel(fileURLToPath(new URL('../../risk-models/heart-disease', import.meta.url)));
    const rows = model.manifest.golden.map((vector) => model.encode(vector.features));
    const explanations = await model.explain(rows);
    expect(Math.max(...explanations.map(({ additivityError }) => additivityError))).toBeLessThan(1e-12);
    await model.close();
  });
});
