import { expect, test } from 'vitest';
import { locateDifference } from '../../../src/risk/check/locate-difference.js';
import { requireAgreement } from '../../../src/risk/check/model-checks.js';
import { randomRows } from '../../../src/risk/check/probe-rows.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { parseModel, readNodes } from '../../../src/risk/parse-model.js';
import type { WrittenNode } from '../support/onnx-writer.js';
import { floats, regressionModel, regressorNode, twoTrees } from '../support/small-models.js';

interface Numbers {
  readonly scale?: number;
  readonly offset?: number;
  readonly weight?: number;
  readonly factor?: number;
  readonly shift?: number;
}

const plain = (operator: string, inputs: readonly string[], output: string): WrittenNode => ({
  operator,
  name: `the ${operator}`,
  inputs,
  outputs: [output],
});

/** A scaler, two operators, trees, and two operators: the numbers in each may differ. */
function file({ scale = 2, offset = 1, weight = 0.1, factor = 3, shift = 0.25 }: Numbers = {}): Uint8Array {
  const [first, second] = twoTrees;
  const trees = [first!, { ...second!, yes: { weights: [[0, weight]] as const } }];
  return regressionModel(
    [
      plain('Mul', ['X', 'scale'], 'scaled'),
      plain('Sub', ['scaled', 'offset'], 'moved'),
      regressorNode(trees, { input: 'moved', output: 'sum' }),
      plain('Div', ['sum', 'factor'], 'share'),
      plain('Add', ['share', 'shift'], 'y'),
    ],
    {
      initializers: {
        scale: floats([scale]),
        offset: floats([offset]),
        factor: floats([factor]),
        shift: floats([shift]),
      },
    },
  );
}

const read = file();
const parsed = parseModel(read);

/** Compares the file that was read with another that runs, as a reader with an error would. */
async function compare(run: Uint8Array): Promise<number> {
  const session = await startModelSession(run, parsed);
  const locate = (row: Float64Array): Promise<string | undefined> =>
    locateDifference(run, parsed, readNodes(read, parsed.featureCount), row);
  return requireAgreement(parsed, session, randomRows(parsed, 200), { locate }).finally(() => session.close());
}

test.each<[string, Numbers]>([
  ['"the Mul" (Mul)', { scale: 2.5 }],
  ['"the Sub" (Sub)', { offset: 1.5 }],
  ['"Trees" (TreeEnsembleRegressor)', { weight: 0.2 }],
  ['"the Div" (Div)', { factor: 3.5 }],
  ['"the Add" (Add)', { shift: 0.5 }],
])('a difference is at the node %s', async (title, change) => {
  await expect(compare(file(change))).rejects.toThrow(
    `first at the node ${title}; RiskGraph reads the file differently`,
  );
});

test('the file itself has no difference, and no node', async () => {
  expect(await compare(read)).toBeLessThan(1);
  const row = randomRows(parsed, 1).rows;
  expect(await locateDifference(read, parsed, readNodes(read, parsed.featureCount), row)).toBeUndefined();
});
