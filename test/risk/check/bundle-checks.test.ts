import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkModel } from '../../../src/risk/check/check-model.js';
import { loadRiskModel } from '../../../src/risk/load-risk-model.js';
import { loadFixture } from '../fixtures.js';
import { type BundleChanges, bundleTrees, exampleManifest, type Manifest, writeBundle } from '../support/bundle.js';
import { classificationModel, classifierNode, type Tree, twoTrees } from '../support/small-models.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const directory = useTemporaryDirectory();
let count = 0;
const place = (): string => join(directory.path, `bundle-${count++}`);
const example = exampleManifest(new Uint8Array(0));
const feature = (index: number, changes: Partial<Manifest['features'][number]>): Partial<Manifest> => ({
  features: example.features.map((known, at) => (at === index ? { ...known, ...changes } : known)),
});
const [first, ...others] = twoTrees;
const withoutCovers = classificationModel(classifierNode([{ ...first!, tracks: true } as Tree, ...others]));

describe('the checks of a bundle', () => {
  test('a complete bundle passes every check, and each names its result', async () => {
    const report = await checkModel(
      await writeBundle(place(), {
        background: [
          [60, 130, 2],
          [40, 110, 1],
          [70, 150, null],
        ],
      }),
    );
    expect(report.results.filter((result) => !result.ok)).toEqual([]);
    expect(report.results.map(({ check }) => check)).toEqual([
      'manifest',
      'model file',
      'model card',
      'SHA-256',
      'background set',
      'trees',
      'ONNX Runtime',
      'random rows',
      'thresholds',
      'missing and extreme',
      'path-dependent SHAP',
      'interventional SHAP',
      'golden vectors',
    ]);
    expect(report.results.find(({ check }) => check === 'thresholds')!.detail).toMatch(
      /^on and one step around each of 3 thresholds: .* agree on 6 rows/,
    );
    // The kernel takes background rows by blocks of 128, so one block and several are tried.
    expect(report.results.find(({ check }) => check === 'interventional SHAP')!.detail).toMatch(
      /^adds up within \S+ on 80 rows against 3, 100, 300 background rows/,
    );
  });

  test('texts that a draft leaves to a person are counted', async () => {
    const { ok, results } = await checkModel(
      await writeBundle(place(), { manifest: { outcome: 'TODO: write it', intendedUse: 'TODO' } }),
    );
    expect(ok).toBe(true);
    expect(results[0]!.detail).toMatch(/; WARNING: 2 of its texts begin with TODO, and readers would see them$/);
  });

  test('a long check says how far it is', async () => {
    // The steps are looked at afterwards: an error of a listener is only one more failed check.
    const heard = new Map<string, { done: number; total: number }[]>();
    const { ok } = await checkModel(loadFixture('d2-rf-regressor-sum').path, {
      progress: (check, done, total) => void heard.set(check, [...(heard.get(check) ?? []), { done, total }]),
    });
    expect(ok).toBe(true);
    expect([...heard.keys()]).toEqual(['thresholds', 'interventional SHAP']);
    for (const steps of heard.values()) {
      const parts = steps.map(({ done }) => done);
      expect(parts).toEqual(parts.toSorted((left, right) => left - right));
      for (const { done, total } of steps) expect(done).toBeLessThanOrEqual(total);
    }
  });

  test.each<[string, BundleChanges, string, RegExp]>([
    ['no JSON', { manifest: '{' }, 'manifest', /manifest.json: it is not valid JSON/],
    [
      'fields missing and unknown',
      { manifest: { name: '', extra: 1 } as Partial<Manifest> },
      'manifest',
      /name: .*extra/,
    ],
    [
      'a unit that is not UCUM',
      { manifest: feature(1, { unit: 'mm Hg' }) },
      'manifest',
      /feature "resting_bp": its unit has a blank/,
    ],
    [
      'a unit that looks like UCUM',
      { manifest: feature(1, { unit: 'mmHg' }) },
      'manifest',
      /feature "resting_bp": its unit has "mmHg", which is not a UCUM unit/,
    ],
    [
      'an imputed value out of range',
      { manifest: feature(1, { missing: { policy: 'IMPUTE', value: 30, meaning: 'low' } }) },
      'manifest',
      /its imputed value must be between 50 and 300 mm Hg/,
    ],
    [
      'missing values that no node tracks',
      { model: classificationModel(classifierNode(twoTrees)) },
      'trees',
      /feature "chest_pain" is given to the model when missing, but no node of the model says where missing values go/,
    ],
    ['no codes', { manifest: feature(2, { codes: undefined }) }, 'manifest', /CATEGORICAL needs codes/],
    [
      'a code twice',
      {
        manifest: feature(2, {
          codes: [
            { value: 1, label: 'a' },
            { value: 1, label: 'b' },
          ],
        }),
      },
      'manifest',
      /a code appears twice/,
    ],
    [
      'a calibration that falls',
      {
        manifest: {
          calibration: {
            method: 'PIECEWISE_LINEAR',
            points: [
              [0, 0.5],
              [1, 0.25],
            ],
          },
        },
      },
      'manifest',
      /calibration: point 2 falls below/,
    ],
    [
      'a feature too many',
      { manifest: { features: [...example.features, { ...example.features[0]!, code: 'other', source: undefined }] } },
      'trees',
      /it lists 4 features and the model takes 3/,
    ],
    [
      'an output that the model does not have',
      { manifest: { outputIndex: 1 } },
      'trees',
      /outputIndex is 1 and the model has 1 output;/,
    ],
    ['log-odds of a forest', { manifest: { outputSpace: 'LOG_ODDS' } }, 'trees', /outputSpace is LOG_ODDS/],
    [
      'probabilities of boosted trees',
      { model: classificationModel(classifierNode(bundleTrees, { post_transform: 'LOGISTIC' })) },
      'trees',
      /outputSpace is PROBABILITY/,
    ],
    [
      'another model',
      { manifest: { model: { file: 'model.onnx', sha256: '0'.repeat(64) } } },
      'SHA-256',
      /model.onnx: its SHA-256 is [0-9a-f]{64}, not the 0{64} of the manifest/,
    ],
    ['no card', { card: null }, 'model card', /MODEL_CARD.md: there is no such file/],
    ['an empty card', { card: ' \n' }, 'model card', /MODEL_CARD.md: it is empty/],
    ['a model that is none', { model: Buffer.from('not an ONNX file') }, 'trees', /ONNX file/],
    [
      'a background of another width',
      { background: [[1, 2]] },
      'background set',
      /background.json: row 1 has 2 numbers where 3 are needed/,
    ],
    [
      'a background that was changed',
      {
        background: [[60, 130, 2]],
        manifest: { background: { file: 'background.json', rows: 1, sha256: '1'.repeat(64) } },
      },
      'background set',
      /SHA-256 is not the one/,
    ],
    [
      'a raw output that is not reproduced',
      { manifest: { golden: [{ ...example.golden[0]!, rawOutput: 0.8751 }] } },
      'golden vectors',
      /golden vector 1: its raw output differs: the library gave 0.8751 and the bundle gives 0.875; the exporter and the/,
    ],
    [
      'a probability that is not reproduced',
      { manifest: { golden: [{ ...example.golden[0]!, probability: 0.5 }] } },
      'golden vectors',
      /its probability differs/,
    ],
    [
      'a SHAP value that is not reproduced',
      { manifest: { golden: [{ ...example.golden[0]!, contributions: { age: 0.5 } }] } },
      'golden vectors',
      /SHAP value of "age" differs/,
    ],
    [
      'a golden vector that cannot be encoded',
      { manifest: { golden: [{ ...example.golden[0]!, features: { age: 200 } }] } },
      'golden vectors',
      /age: must be between 18 and 120 years/,
    ],
    [
      'fewer than three golden vectors',
      { manifest: { golden: example.golden.slice(0, 2) }, goldenAsGiven: true },
      'golden vectors',
      /it has 2 golden vectors, and 3 are needed; add inputs with the library's own output/,
    ],
    [
      'neither covers nor background',
      { model: withoutCovers, manifest: { golden: [] } },
      'explanations',
      /write the real counts to nodes_hitrates when exporting, or add a background set/,
    ],
  ])('%s: fails its check and is not loaded', async (_, changes, check, detail) => {
    const bundle = await writeBundle(place(), changes);
    const report = await checkModel(bundle);
    expect(report.ok).toBe(false);
    const result = report.results.find((candidate) => !candidate.ok)!;
    expect(result.check).toBe(check);
    expect(result.detail).toMatch(detail);
    await expect(loadRiskModel(bundle)).rejects.toThrow(
      new RegExp(`^risk model bundle-\\d+: .*${check}: .*it is not served`),
    );
  });

  test('covers are counted from the background if the file has none, and unreached nodes are named', async () => {
    const report = await checkModel(
      await writeBundle(place(), { model: withoutCovers, background: [[60, 130, 2]], manifest: { golden: [] } }),
    );
    expect(report.results.find(({ check }) => check === 'path-dependent SHAP')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(
        /covers counted from 1 background rows, which leave \d+ of 12 nodes unreached/,
      ) as unknown,
    });
    expect(report.ok).toBe(true);
  });

  test('golden vectors of ONNX Runtime pass with a warning', async () => {
    const golden = example.golden.map((vector) => ({ ...vector, source: 'ONNX_RUNTIME' as const }));
    const { ok, results } = await checkModel(await writeBundle(place(), { manifest: { golden } }));
    expect(ok).toBe(true);
    expect(results.at(-1)!.detail).toMatch(/^3 reproduced; WARNING: 3 of them are from ONNX Runtime/);
  });

  test('a path that does not exist is one failed check', async () => {
    expect(await checkModel(join(directory.path, 'none'))).toEqual({
      ok: false,
      results: [
        { check: 'model file', ok: false, detail: 'none: there is no such file; check the path and its permissions' },
      ],
    });
  });
});
