import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseModel } from '../../src/risk/parse-model.js';
import { exportedFacts } from '../risk/support/exported-bundle.js';
import { useTemporaryDirectory } from '../risk/support/temporary-directory.js';
import { type Outcome, runCommand } from '../support/run-command.js';

const directory = useTemporaryDirectory();

interface Draft {
  id: string;
  name: string;
  outputSpace: string;
  outputIndex?: number;
  quantity?: unknown;
  classes?: string[];
  riskClass?: string;
  riskBands: { from: number }[];
  features: {
    code: string;
    label: string;
    kind: string;
    range?: { min: number; max: number };
    codes?: object[];
    missing: object;
  }[];
  background?: { rows: number };
  training: { patients: number; events?: number };
  golden: Record<string, unknown>[];
}

const fixture = (path: string): string => fileURLToPath(new URL(`../risk/${path}`, import.meta.url));
const init = (...given: readonly string[]): Promise<Outcome> => runCommand(['model', 'init', ...given], {});
const draftIn = async (path: string): Promise<Draft> =>
  JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Draft;

/** Writes a CSV of 40 rows with the columns of `cells`, each a function of the row's number. */
async function writeCsv(
  name: string,
  cells: Readonly<Record<string, (row: number) => string | number>>,
): Promise<string> {
  const path = join(directory.path, name);
  const rows = Array.from({ length: 40 }, (_, row) => Object.values(cells).map((cell) => cell(row)));
  await writeFile(path, [Object.keys(cells), ...rows].map((row) => row.join(',')).join('\n'));
  return path;
}

test('a binary model gets a bundle that passes the check, with names, codes and missing values from the CSV', async () => {
  const csv = await writeCsv('binary.csv', {
    'Age (years)': (row) => 40.5 + row,
    Sex: (row) => row % 2,
    restingBP: (row) => (row % 10 === 3 ? '' : 100 + row / 4),
    'Chest pain': (row) => row % 4,
    outcome: (row) => (row % 4 === 0 ? 'True' : 'False'),
  });
  const bundle = join(directory.path, 'binary');
  const { code, output, errors } = await init(
    fixture('fixtures/exporters/xgboost-bin/model.onnx'),
    ...['--csv', csv, '--target', 'outcome', '--name', 'Fall risk', '--out', bundle, '--background', '20'],
  );
  expect([code, errors]).toEqual([0, expect.not.stringContaining('error:')]);
  expect(output).toMatch(/golden vectors .*ok .*5 reproduced; WARNING: 5 of them are from/);
  expect(output).toContain('- missing values: IMPUTE must have exactly the value of the training');
  const draft = await draftIn(bundle);
  expect(draft).toMatchObject({
    id: 'fall-risk',
    name: 'Fall risk',
    outputSpace: 'LOG_ODDS',
    outputIndex: 0,
    background: { rows: 20 },
    training: { patients: 40, events: 10 },
  });
  expect(draft.features.map(({ code: feature, kind }) => [feature, kind])).toEqual([
    ['age_years', 'CONTINUOUS'],
    ['sex', 'BINARY'],
    ['resting_bp', 'CONTINUOUS'],
    ['chest_pain', 'CATEGORICAL'],
  ]);
  expect(draft.features[0]).toMatchObject({ range: { min: 40.5, max: 79.5 }, missing: { policy: 'REQUIRED' } });
  expect(draft.features[2]!.missing).toMatchObject({ policy: 'IMPUTE' });
  expect(draft.features[3]!.codes).toHaveLength(4);
  expect(draft.golden.map(({ source }) => source)).toEqual(Array(5).fill('ONNX_RUNTIME'));
  // No row of the CSV is in the bundle: every column is shuffled on its own.
  const rows = (await readFile(csv, 'utf8')).split('\n').slice(1);
  const background = JSON.parse(await readFile(join(bundle, 'background.json'), 'utf8')) as (number | null)[][];
  expect(background).toHaveLength(20);
  const patients = new Set(rows.map((row) => row.split(',').slice(0, 4).map(Number).join()));
  expect(background.filter((row) => patients.has(row.map(Number).join()))).toEqual([]);
  expect((await readdir(bundle)).sort()).toEqual(['MODEL_CARD.md', 'background.json', 'manifest.json', 'model.onnx']);
});

test.each<[string, string[], Partial<Draft>]>([
  [
    'lgb-poisson',
    ['--unit', 'd'],
    { outputSpace: 'LOG', quantity: { unit: 'd', unitLabel: 'd' }, training: { patients: 20 } },
  ],
  ['rf-quantity', [], { outputSpace: 'IDENTITY', quantity: { unit: '1', unitLabel: '' } }],
  ['gb-classes', [], { outputSpace: 'LOG_ODDS', classes: ['0', '1', '2'], riskClass: '2' }],
  ['rf-classes', ['--risk-class', '1'], { outputSpace: 'PROBABILITY', classes: ['0', '1', '2'], riskClass: '1' }],
])('%s gets the parts of its answer', async (name, options, expected) => {
  const facts = await exportedFacts(name);
  const csv = join(directory.path, `${name}.csv`);
  await writeFile(csv, ['a,b,c,d', ...facts.background.map((row) => row.join(','))].join('\n'));
  const bundle = join(directory.path, name);
  const { code, output, errors } = await init(
    fixture(`exporters/outputs/${name}.onnx`),
    ...['--csv', csv, '--out', bundle, ...options],
  );
  expect([code, errors]).toEqual([0, expect.not.stringContaining('error:')]);
  expect(output).toContain('riskBands: the limits');
  const draft = await draftIn(bundle);
  expect(draft).toMatchObject(expected);
  expect(draft.golden).toHaveLength(5);
});

test('a model without a CSV gets ranges about its thresholds', async () => {
  const bundle = join(directory.path, 'bare');
  const { code, output } = await init(fixture('fixtures/a1-rf-binary-two-ids.onnx'), '--out', bundle);
  expect(code).toBe(0);
  expect(output).toContain('Only a person can fill in:');
  const draft = await draftIn(bundle);
  const { ensemble } = parseModel(await readFile(join(bundle, 'model.onnx')));
  expect(draft.features).toHaveLength(ensemble.featureCount);
  ensemble.feature.forEach((feature, node) => {
    if (ensemble.trueChild[node]! < 0) return;
    const { min, max } = draft.features[feature]!.range!;
    expect(ensemble.threshold[node]).toBeGreaterThan(min);
    expect(ensemble.threshold[node]).toBeLessThan(max);
  });
  expect(draft.background).toBeUndefined();
});

test('a column that tells who a patient is stays out, and an existing directory is left alone', async () => {
  const model = fixture('fixtures/exporters/xgboost-bin/model.onnx');
  const columns = { b: () => 1, c: () => 2, d: () => 3 };
  const csv = await writeCsv('identity.csv', { 'Patient ID': (row) => row, ...columns });
  const bundle = join(directory.path, 'identity');
  expect(await init(model, '--csv', csv, '--out', bundle)).toMatchObject({
    code: 1,
    output: '',
    errors:
      'error: the CSV: its column "Patient ID" looks as if it tells who a patient is; leave the column out, or name ' +
      'the columns of the features by --features a,b,c in the order of training\n',
  });
  await mkdir(bundle);
  const named = await init(model, '--csv', csv, '--out', bundle, '--features', 'd,c,b,Patient ID');
  expect(named.errors).toMatch(
    /"[^"]*identity": it exists, and nothing is overwritten; name a new directory by --out\n$/,
  );
  expect(await readdir(bundle)).toEqual([]);
});

test('a text in the CSV is named by its line and column, never by its value', async () => {
  const csv = await writeCsv('text.csv', {
    a: (row) => (row === 2 ? 'Ada Lovelace' : row),
    b: () => 1,
    c: () => 2,
    d: () => 3,
  });
  const { code, errors } = await init(
    fixture('fixtures/exporters/xgboost-bin/model.onnx'),
    ...['--csv', csv, '--out', join(directory.path, 'text')],
  );
  expect([code, errors]).toEqual([
    1,
    'error: "text.csv": line 4: its column "a" holds a text, and the model takes a number; write the number that the ' +
      'model was trained with\n',
  ]);
});
