/** A bundle whose model takes text: codes with texts as values, from the manifest to ONNX Runtime. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkModel } from '../../../src/risk/check/check-model.js';
import { explainFile } from '../../../src/risk/explain-file.js';
import { loadRiskModel } from '../../../src/risk/load-risk-model.js';
import { manifestSchema } from '../../../src/risk/manifest.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import { exampleManifest, writeBundle } from '../support/bundle.js';
import { failedChecks } from '../support/failed-checks.js';
import { classificationModel, classifierNode, leaf, type Tree } from '../support/small-models.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const directory = useTemporaryDirectory();
let count = 0;
const place = (): string => join(directory.path, `bundle-${count++}`);

/** Sites "A", "B" and "C" have risks of 0.125, 0.25 and 0.5. A higher age adds 0.25. */
const siteTrees = classifierNode([
  { feature: 1, at: 0.5, yes: { feature: 2, at: 0.5, yes: leaf(0.5), no: leaf(0.25) }, no: leaf(0.125) },
  { feature: 0, at: 50, yes: leaf(0), no: leaf(0.25) },
]);

function modelOf(zeros: number, trees = siteTrees, classes = 2): Uint8Array {
  return classificationModel(trees, {
    nodes: [
      {
        operator: 'OneHotEncoder',
        domain: 'ai.onnx.ml',
        inputs: ['site'],
        outputs: ['A'],
        attributes: { cats_strings: ['A', 'B', 'C'], zeros },
      },
      { operator: 'Flatten', inputs: ['A'], outputs: ['B'] },
      { operator: 'Concat', inputs: ['age', 'B'], outputs: ['X'], attributes: { axis: 1 } },
      trees,
    ],
    inputs: [
      { name: 'age', shape: [null, 1] },
      { name: 'site', type: ElementType.STRING, shape: [null, 1] },
    ],
    outputs: [
      { name: 'label', type: ElementType.INT64, shape: [null] },
      { name: 'scores', shape: [null, classes] },
    ],
  });
}

interface Author {
  readonly codes?: readonly { value: number | string; label: string }[];
  readonly golden?: readonly object[];
  readonly zeros?: number;
  readonly model?: Uint8Array;
  readonly rows?: readonly (readonly (number | string)[])[];
  readonly manifest?: object;
}

/** Writes the bundle as an author writes it. */
async function textBundle({
  codes = [
    { value: 'C', label: 'Site C' },
    { value: 'A', label: 'Site A' },
    { value: 'B', label: 'Site B' },
  ],
  golden = [
    { features: { age: 60, site: 'C' }, rawOutput: 0.75, probability: 0.75 },
    { features: { age: 40, site: 'A' }, rawOutput: 0.125, probability: 0.125 },
    { features: { age: 40, site: null }, rawOutput: 0.25, probability: 0.25 },
  ],
  zeros = 1,
  model = modelOf(zeros),
  rows = [40, 60, 55].map((age, index) => [age, codes[index % codes.length]!.value]),
  manifest = {},
}: Author = {}): Promise<string> {
  const path = place();
  await writeBundle(path, { model, background: rows as unknown as number[][] });
  const own = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as {
    background: object;
  };
  const [age] = exampleManifest(model).features;
  const site = { ...age, code: 'site', label: 'Site', unit: '1', unitLabel: '', kind: 'CATEGORICAL', codes };
  await writeFile(
    join(path, 'manifest.json'),
    JSON.stringify({
      ...own,
      features: [
        { ...age, source: undefined },
        {
          ...site,
          range: undefined,
          source: undefined,
          missing: { policy: 'IMPUTE', value: codes.at(-1)!.value, meaning: 'the usual site' },
        },
      ],
      golden,
      ...manifest,
    }),
  );
  return path;
}

test('every check passes, and the numbers of callers are the places of the codes', async () => {
  const path = await textBundle();
  const report = await checkModel(path);
  expect(report.results.filter(({ ok }) => !ok)).toEqual([]);
  const model = await loadRiskModel(path);
  try {
    expect(model.manifest.features[1]!.codes).toEqual([
      { value: 0, label: 'Site C', text: 'C' },
      { value: 1, label: 'Site A', text: 'A' },
      { value: 2, label: 'Site B', text: 'B' },
    ]);
    const rows = [0, 1, 2].map((site) => model.encode({ age: 40, site }));
    const scores = await model.score(rows);
    expect(scores.map(({ rawOutput }) => rawOutput)).toEqual([0.5, 0.125, 0.25]);
    const [explanation] = await model.explain([rows[0]!], 'INTERVENTIONAL');
    expect(explanation!.contributions[1]).toBeCloseTo(0.5 - (0.125 + 0.25 + 0.5) / 3, 12);
    expect(() => model.encode({ age: 40, site: 3 })).toThrow(/site: must be 0 \(Site C\), 1 \(Site A\) or 2/);
    expect(model.displayValue(model.manifest.features[1]!, 0)).toBe('Site C');
  } finally {
    await model.close();
  }
});

test('every class is explained against the texts of the background', async () => {
  const shares = (...weights: number[]): Tree => ({ weights: weights.map((weight, output) => [output, weight]) });
  const trees = classifierNode(
    [
      {
        feature: 1,
        at: 0.5,
        yes: { feature: 2, at: 0.5, yes: shares(0.25, 0.25, 0.5), no: shares(0.25, 0.5, 0.25) },
        no: shares(0.5, 0.25, 0.25),
      },
    ],
    { classlabels_int64s: [0, 1, 2] },
  );
  const model = await loadRiskModel(
    await textBundle({
      model: modelOf(1, trees, 3),
      rows: [[40, 'C']],
      golden: [
        { features: { age: 60, site: 'C' }, classes: { mild: 0.25, moderate: 0.25, severe: 0.5 } },
        { features: { age: 40, site: 'A' }, classes: { mild: 0.5, moderate: 0.25, severe: 0.25 } },
        { features: { age: 40, site: 'B' }, classes: { mild: 0.25, moderate: 0.5, severe: 0.25 } },
      ],
      manifest: { outputIndex: undefined, classes: ['mild', 'moderate', 'severe'], riskClass: 'severe' },
    }),
  );
  try {
    const [classes] = await model.explainClasses([model.encode({ age: 40, site: 1 })], 'INTERVENTIONAL');
    // Site A in place of the background's site C.
    expect(classes!.map(({ contributions }) => contributions[1])).toEqual([0.25, 0, -0.25]);
  } finally {
    await model.close();
  }
});

test('rows of a bare file have texts, and a text that the model does not know is like any other', async () => {
  const model = join(directory.path, 'text.onnx');
  const rows = join(directory.path, 'rows.json');
  await writeFile(model, modelOf(1));
  await writeFile(
    rows,
    JSON.stringify([
      [40, 'C'],
      [40, 'A'],
      [40, 'somewhere'],
    ]),
  );
  const { output } = await explainFile({ model, rows, method: 'INTERVENTIONAL', background: rows });
  expect(output.flat()).toEqual([0.5, 0.125, 0.5]);
  await writeFile(rows, JSON.stringify([['C', 'C']]));
  await expect(explainFile({ model, rows, method: 'INTERVENTIONAL', background: rows })).rejects.toThrow(
    /row 1, column 1 is a text that the column does not have/,
  );
});

test.each<[string, Author, RegExp]>([
  [
    'codes of numbers',
    { codes: [1, 2].map((value) => ({ value, label: 'x' })), golden: [] },
    /feature "site" is a text of the model, but its codes are not/,
  ],
  [
    'a category on which the encoder fails',
    {
      codes: ['A', 'B', 'D'].map((value) => ({ value, label: value })),
      golden: [],
      zeros: 0,
    },
    /feature "site" allows values on which the OneHotEncoder of the model fails; limit its codes to "A", "B", "C"/,
  ],
  [
    'a golden vector with another text',
    { golden: [{ features: { age: 1, site: 'Z' }, rawOutput: 0, probability: 0 }] },
    /golden.0.features.site/,
  ],
])('%s is refused, with the remedy', async (_, changes, message) => {
  expect(await failedChecks(await textBundle(changes))).toMatch(message);
});

test('a manifest that was read is read again as itself', () => {
  const manifest = exampleManifest(new Uint8Array(0));
  const codes = [
    { value: 'a', label: 'A' },
    { value: 'b', label: 'B' },
  ];
  const features = [manifest.features[0], { ...manifest.features[2], codes }];
  const once = manifestSchema.parse({ ...manifest, features, golden: [] });
  expect(manifestSchema.parse(once)).toEqual(once);
});
