import { expect, test } from 'vitest';
import { halfToNumber, numberToHalf } from '../../../src/risk/onnx/half-float.js';
import { againstRuntime } from '../support/against-runtime.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import type { WrittenNode } from '../support/onnx-writer.js';
import { integers, leaf, regressionModel, regressorNode, twoTrees } from '../support/small-models.js';

const plain = (
  operator: string,
  inputs: readonly string[],
  attributes: WrittenNode['attributes'] = {},
): WrittenNode => ({
  operator,
  name: `the ${operator}`,
  inputs,
  outputs: ['Z'],
  attributes,
});
const behindCast = [plain('Cast', ['X'], { to: ElementType.FLOAT }), regressorNode(twoTrees, { input: 'Z' })];

test.each([
  ['bool', ElementType.BOOL],
  ['int8', ElementType.INT8],
  ['uint8', ElementType.UINT8],
  ['int16', ElementType.INT16],
  ['uint16', ElementType.UINT16],
  ['int32', ElementType.INT32],
  ['uint32', ElementType.UINT32],
  ['int64', ElementType.INT64],
  ['uint64', ElementType.UINT64],
  ['half-precision float', ElementType.FLOAT16],
  ['float', ElementType.FLOAT],
  ['double', ElementType.DOUBLE],
])('an input of %s agrees with ONNX Runtime', async (_, type) => {
  await againstRuntime(regressionModel(behindCast, { type }));
});

test('every half-precision float is read back as itself, and a number between two goes to the nearer one', () => {
  const wrong: number[] = [];
  const expectHalf = (value: number, bits: number): void => {
    if (numberToHalf(value) !== bits) wrong.push(value);
  };
  let numbers = 0;
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const value = halfToNumber(bits);
    if (Number.isNaN(value)) continue;
    numbers++;
    expectHalf(value, bits);
    const next = halfToNumber(bits + 1);
    if (Number.isFinite(value) && Number.isFinite(next) && bits < 2 ** 15) {
      const middle = (value + next) / 2;
      expectHalf(middle, bits + (bits % 2));
      expectHalf(middle * (1 + 2 ** -30), bits + 1);
    }
  }
  expect(wrong).toEqual([]);
  // All but the NaNs, of which there are 1,023 of each sign.
  expect(numbers).toBe(2 ** 16 - 2 * 1_023);
  expect(numberToHalf(70_000)).toBe(numberToHalf(Infinity));
});

test('an integer beyond 2^53 that no reader needs is let through', async () => {
  const largest = 2n ** 63n - 1n;
  const tree = [{ feature: 0, at: 0.5, yes: leaf(1), no: leaf(2) }];
  await againstRuntime(
    regressionModel(
      [regressorNode(tree, { output: 'a' }), { ...plain('Slice', ['a', 'from', 'to', 'axes']), outputs: ['y'] }],
      {
        initializers: {
          from: integers([0]),
          to: { type: ElementType.INT64, shape: [1], values: [largest as unknown as number] },
          axes: integers([1]),
        },
      },
    ),
  );
});
