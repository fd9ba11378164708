import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainFile } from '../../src/risk/explain-file.js';
import { fixtureNames, largestDifference, loadFixture } from './fixtures.js';
import { ElementType } from '../../src/risk/onnx/tensor-proto.js';
import { leaf, regressionModel, regressorNode } from './support/small-models.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'riskgraph-explain-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content instanceof Uint8Array ? content : JSON.stringify(content));
  return path;
}

function toRows(values: Float64Array, rowCount: number): (number | null)[][] {
  const width = values.length / rowCount;
  return Array.from({ length: rowCount }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width), (value) => (Number.isNaN(value) ? null : value)),
  );
}

describe('explainFile', () => {
  test.each(fixtureNames)('%s: gives the reference values, by both methods', async (name) => {
    const fixture = loadFixture(name);
    const rows = await write(`${name}-rows.json`, toRows(fixture.rows, fixture.rowCount));
    const background = await write(`${name}-background.json`, toRows(fixture.background, fixture.backgroundRows));
    const pathDependent = await explainFile({ model: fixture.path, rows, method: 'PATH_DEPENDENT' });
    expect(largestDifference(pathDependent.output.flat(), fixture.raw.flat())).toBeLessThan(1e-12);
    expect(largestDifference(pathDependent.expected_value, fixture.pathDependent.expected_value)).toBeLessThan(1e-7);
    expect(
      largestDifference(pathDependent.shap_values.flat(2), fixture.pathDependent.shap_values.flat(2)),
    ).toBeLessThan(1e-7);
    const interventional = await explainFile({ model: fixture.path, rows, method: 'INTERVENTIONAL', background });
    expect(largestDifference(interventional.expected_value, fixture.interventional.expected_value)).toBeLessThan(1e-10);
    expect(
      largestDifference(interventional.shap_values.flat(2), fixture.interventional.shap_values.flat(2)),
    ).toBeLessThan(1e-10);
  });

  const stump = { feature: 0, at: 0, yes: leaf(1), no: leaf(5) };

  test('counts covers from the background if the file has none', async () => {
    const model = await write('ones.onnx', regressionModel([regressorNode([stump])]));
    const rows = await write('rows.json', [[1, 0, 0]]);
    await expect(explainFile({ model, rows, method: 'PATH_DEPENDENT' })).rejects.toThrow(
      /path-dependent SHAP: the file does not say how many training rows reached each node .*; write the real counts to nodes_hitrates when exporting, or give a background set/,
    );
    const background = await write('background.json', [
      [-1, 0, 0],
      [-2, 0, 0],
      [-3, 0, 0],
      [4, 0, 0],
    ]);
    const explained = await explainFile({ model, rows, method: 'PATH_DEPENDENT', background });
    expect(explained).toEqual({ expected_value: [2], output: [[5]], shap_values: [[[expect.closeTo(3, 12), 0, 0]]] });
  });

  test('takes the width of the rows if the model does not give it', async () => {
    const model = await write(
      'free.onnx',
      regressionModel(
        [
          regressorNode([
            { ...stump, cover: 4, yes: { weights: [[0, 1]], cover: 3 }, no: { weights: [[0, 5]], cover: 1 } },
          ]),
        ],
        { width: null },
      ),
    );
    const explained = await explainFile({
      model,
      rows: await write('wide.json', [[1, 0, 0, null, 7]]),
      method: 'PATH_DEPENDENT',
    });
    expect(explained.shap_values).toEqual([[[expect.closeTo(3, 12), 0, 0, 0, 0]]]);
  });

  test.each<[string, unknown, RegExp]>([
    ['rows of another width', [[1, 2]], /rows file: its rows have 2 numbers and the model takes 3/],
    [
      'uneven rows',
      [
        [1, 2, 3],
        [1, 2],
      ],
      /rows file: row 2 has 2 numbers where 3 are needed/,
    ],
    ['words', [[1, 'two', 3]], /rows file: row 1, column 2 is a text that the column does not have/],
    ['no rows', [], /rows file: it is not an array of rows/],
    ['an object', { rows: [] }, /rows file: it is not an array of rows/],
  ])('%s are refused', async (_, rows, message) => {
    const model = await write('model.onnx', regressionModel([regressorNode([stump])]));
    await expect(explainFile({ model, rows: await write('bad.json', rows), method: 'INTERVENTIONAL' })).rejects.toThrow(
      message,
    );
  });

  test('a missing value cannot be given to an input of integers', async () => {
    const model = await write(
      'integers.onnx',
      regressionModel(
        [
          { operator: 'Cast', inputs: ['X'], outputs: ['Z'], attributes: { to: ElementType.FLOAT } },
          regressorNode([stump], { input: 'Z' }),
        ],
        { type: ElementType.INT64 },
      ),
    );
    await expect(
      explainFile({ model, rows: await write('null.json', [[1, null, 3]]), method: 'INTERVENTIONAL' }),
    ).rejects.toThrow(/row 1, column 2 is not a whole number/);
  });

  test('missing files and files that are not JSON are named', async () => {
    const model = await write('model.onnx', regressionModel([regressorNode([stump])]));
    await expect(
      explainFile({ model: join(directory, 'none.onnx'), rows: model, method: 'INTERVENTIONAL' }),
    ).rejects.toThrow('none.onnx: there is no such file; check the path and its permissions');
    await expect(explainFile({ model, rows: model, method: 'INTERVENTIONAL' })).rejects.toThrow(
      'rows file: it is not valid JSON; correct the file',
    );
    await expect(explainFile({ model: directory, rows: model, method: 'INTERVENTIONAL' })).rejects.toThrow(
      /it is not a file/,
    );
  });
});
