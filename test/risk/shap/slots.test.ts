import { describe, expect, test } from 'vitest';
import { SlotTable, nextBelow } from '../../../src/risk/shap/slots.js';
import { goesTrue } from '../../../src/risk/trees/route.js';
import { NodeMode, type TreeEnsemble } from '../../../src/risk/tree-ensemble.js';

const extremes = [
  0,
  -0,
  1,
  -1,
  0.1,
  Infinity,
  -Infinity,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** -149,
  -(2 ** -149),
];

/** Branches of every mode and missing rule on feature 0, with these thresholds. Each branch is a tree of its own. */
function branches(precision: 32 | 64, thresholds: readonly number[]): TreeEnsemble {
  const modes = [NodeMode.LEQ, NodeMode.LT, NodeMode.GTE, NodeMode.GT, NodeMode.EQ, NodeMode.NEQ];
  const all = modes.flatMap((mode) =>
    thresholds.flatMap((threshold) => [0, 1].map((tracks) => ({ mode, threshold, tracks }))),
  );
  const indices = Int32Array.from(all, (_, index) => index);
  return {
    featureCount: 1,
    outputCount: 1,
    precision,
    roots: indices,
    mode: Uint8Array.from(all, ({ mode }) => mode),
    feature: new Int32Array(all.length),
    threshold: Float64Array.from(all, ({ threshold }) => threshold),
    trueChild: indices,
    falseChild: indices,
    missingTracksTrue: Uint8Array.from(all, ({ tracks }) => tracks),
    cover: null,
    leafStart: new Int32Array(all.length + 1),
    leafOutput: new Int32Array(0),
    leafWeight: new Float64Array(0),
    baseValues: new Float64Array(1),
    postTransform: 'NONE',
  };
}

describe.each([32, 64] as const)('slot tests in float%i', (precision) => {
  const round = (value: number) => (precision === 32 ? Math.fround(value) : value);
  const thresholds = [...new Set(extremes.map(round)), Number.NaN];

  test('decide as the branch does on, next to and far from every threshold, and for missing values', () => {
    const ensemble = branches(precision, thresholds);
    const slots = new SlotTable(ensemble);
    const tests = Array.from(ensemble.roots, (node) => slots.testOf(node));
    const inputs = [
      ...thresholds,
      ...thresholds
        .filter(Number.isFinite)
        .flatMap((value) => [nextBelow(value, precision), -nextBelow(-value, precision)]),
    ];
    for (const input of inputs) {
      const values = new Float64Array(slots.count);
      slots.fill(Float64Array.of(input), values, 0);
      tests.forEach(({ slot, threshold, passesWhenTrue }, node) => {
        const passes = values[slot]! <= threshold;
        expect(`${node} ${input} ${passes === passesWhenTrue}`).toBe(
          `${node} ${input} ${goesTrue(ensemble, node, input)}`,
        );
      });
    }
  });
});

test('nextBelow gives the neighbour', () => {
  expect(nextBelow(1, 32)).toBe(1 - 2 ** -24);
  expect(nextBelow(1, 64)).toBe(1 - 2 ** -53);
  expect(nextBelow(-1, 32)).toBe(-1 - 2 ** -23);
  expect(nextBelow(0, 32)).toBe(-(2 ** -149));
  expect(nextBelow(-0, 64)).toBe(-Number.MIN_VALUE);
  expect(nextBelow(Infinity, 64)).toBe(Number.MAX_VALUE);
  expect(nextBelow(-(2 ** 127) * (2 - 2 ** -23), 32)).toBe(-Infinity);
});
