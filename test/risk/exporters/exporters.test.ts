import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseRows } from '../../../src/risk/bundle/bundle-files.js';
import { requireAdditivity } from '../../../src/risk/check/model-checks.js';
import { InvalidModelError } from '../../../src/risk/errors.js';
import { type Background, createExplainer } from '../../../src/risk/explainers.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { textNumbers } from '../../../src/risk/model-value.js';
import { type ParsedModel, parseModel, prepareRows } from '../../../src/risk/parse-model.js';
import { scoresFromRaw } from '../../../src/risk/scores.js';
import { rawOutputs } from '../../../src/risk/trees/route.js';
import { againstRuntime } from '../support/against-runtime.js';
import { shapleyByRuntime } from '../support/shapley-by-runtime.js';

/**
 * One folder per model, as the libraries' exporters wrote it: model.onnx, rows.json, background.json and expected.json.
 * The format of expected.json is in fixtures/exporters/README.md.
 */
interface Expected {
  readonly exporter: string;
  /** The library's own output for each row. */
  readonly outputs?: number[][];
  /** The library's own path-dependent values for each row, where the file has the library's node counts. */
  readonly pathDependent?: number[][];
  /** A part of the message with which the file is refused. */
  readonly refused?: string;
  /** True when the exporter wrote another model than the library's. Only golden vectors find this. */
  readonly exporterWrong?: boolean;
}

const root = fileURLToPath(new URL('../fixtures/exporters/', import.meta.url));
const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const json = (name: string, file: string): unknown => JSON.parse(readFileSync(`${root}${name}/${file}`, 'utf8'));
const expectedOf = (name: string): Expected => json(name, 'expected.json') as Expected;
const rowsOf = (model: ParsedModel, name: string, file: string): Background =>
  parseRows(file, json(name, file), { numberOfText: textNumbers(model) });

/** Differences up to this share are what float32 loses. */
const tolerance = 2e-5;

const refused = folders.filter((name) => expectedOf(name).refused !== undefined);
const accepted = folders.filter((name) => expectedOf(name).refused === undefined);

test.each(refused)('%s: refused by name, with the reason', (name) => {
  const parse = (): unknown => parseModel(readFileSync(`${root}${name}/model.onnx`));
  expect(parse).toThrow(InvalidModelError);
  expect(parse).toThrow(expectedOf(name).refused);
});

test.each(accepted)('%s: gives the library’s own output', async (name) => {
  const parsed = await againstRuntime(readFileSync(`${root}${name}/model.onnx`));
  const { rows, rowCount } = rowsOf(parsed, name, 'rows.json');
  const raw = rawOutputs(parsed.ensemble, prepareRows(parsed, rows, rowCount), rowCount);
  const { outputCount } = parsed.ensemble;
  const { outputs, exporterWrong } = expectedOf(name);
  const worst = Math.max(
    ...outputs!.map((values, row) => {
      const scores = scoresFromRaw(parsed, raw.subarray(row * outputCount, (row + 1) * outputCount));
      expect(scores).toHaveLength(values.length);
      return Math.max(
        ...values.map((value, column) => Math.abs(scores[column]! - value) / Math.max(1, Math.abs(value))),
      );
    }),
  );
  if (exporterWrong) expect(worst).toBeGreaterThan(100 * tolerance);
  else expect(worst).toBeLessThan(tolerance);
});

test.each(accepted.filter((name) => expectedOf(name).pathDependent))(
  "%s: path-dependent values are the library's own",
  (name) => {
    const parsed = parseModel(readFileSync(`${root}${name}/model.onnx`));
    const { rows, rowCount } = rowsOf(parsed, name, 'rows.json');
    const found = createExplainer(parsed, 'PATH_DEPENDENT', null).explain(rows, rowCount);
    const expected = expectedOf(name).pathDependent!.flat();
    expect(found).toHaveLength(expected.length);
    expected.forEach((value, place) => expect(Math.abs(found[place]! - value)).toBeLessThan(1e-6));
  },
);

test.each(accepted)('%s: SHAP values are the Shapley values of the whole file', async (name) => {
  const bytes = readFileSync(`${root}${name}/model.onnx`);
  const parsed = parseModel(bytes);
  const rows = rowsOf(parsed, name, 'rows.json');
  const background = rowsOf(parsed, name, 'background.json');
  const { outputCount } = parsed.ensemble;
  const width = parsed.featureCount;
  const explainer = createExplainer(parsed, 'INTERVENTIONAL', background);
  const outputs = Array.from({ length: outputCount }, (_, output) => output);
  await requireAdditivity(parsed, explainer, rows, outputs);
  const session = await startModelSession(bytes, parsed);
  const softmax = parsed.columns.some(({ link }) => link === 'SOFTMAX');
  for (let row = 0; row < 3; row++) {
    const values = rows.rows.subarray(row * width, (row + 1) * width);
    const exact = await shapleyByRuntime(parsed, session, values, background);
    const found = explainer.explain(values, 1);
    // A softmax tells its arguments up to a constant only: compare the differences from the first.
    const relative = (list: readonly number[], first: readonly number[]): number[] =>
      softmax ? list.map((value, index) => value - first[index]!) : [...list];
    const ours = outputs.map((output) => Array.from(found.subarray(output * width, (output + 1) * width)));
    for (const output of outputs) {
      const scale = Math.max(1, ...exact[output]!.map(Math.abs));
      relative(exact[output]!, exact[0]!).forEach((value, feature) => {
        expect(Math.abs(relative(ours[output]!, ours[0]!)[feature]! - value) / scale).toBeLessThan(1e-4);
      });
    }
  }
  await session.close();
});
