import { describe, expect, test } from 'vitest';
import { nextFloat } from '../../../src/risk/check/float-step.js';
import { requireAdditivity, requireAgreement } from '../../../src/risk/check/model-checks.js';
import { missingAndExtremeRows, type ProbeRows, randomRows } from '../../../src/risk/check/probe-rows.js';
import { branchCount, thresholdRows } from '../../../src/risk/check/threshold-rows.js';
import { DisagreementError } from '../../../src/risk/errors.js';
import { createExplainer } from '../../../src/risk/explainers.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { type ParsedModel, parseModel } from '../../../src/risk/parse-model.js';
import type { TreeEnsemble } from '../../../src/risk/tree-ensemble.js';
import { loadFixture } from '../fixtures.js';

const fixture = loadFixture('b2-xgb-binary-no-base');
const sound = parseModel(fixture.bytes);
const firstBranch = sound.ensemble.trueChild.findIndex((child) => child >= 0);

/** The model as a parser with one error would have read it. */
function misread(change: Partial<TreeEnsemble>): ParsedModel {
  return { ...sound, ensemble: { ...sound.ensemble, ...change } };
}

const collect = (parts: Iterable<ProbeRows>): ProbeRows => {
  const all = [...parts];
  return {
    rows: Float64Array.from(all.flatMap(({ rows }) => [...rows])),
    rowCount: all.reduce((sum, { rowCount }) => sum + rowCount, 0),
  };
};

async function compare(model: ParsedModel, rows: ProbeRows): Promise<number> {
  const session = await startModelSession(fixture.bytes, sound);
  try {
    return await requireAgreement(model, session, rows);
  } finally {
    await session.close();
  }
}

describe('the gate notices', () => {
  test('no difference in a correct model', async () => {
    expect(await compare(sound, randomRows(sound, 200))).toBeLessThan(1);
  });

  test('a wrong leaf weight', async () => {
    await expect(
      compare(
        misread({ leafWeight: sound.ensemble.leafWeight.map((weight) => weight + 1e-4) }),
        randomRows(sound, 200),
      ),
    ).rejects.toThrow(/differ on 200 of 200 rows/);
  });

  test('each single threshold that differs by one float32 step', async () => {
    const rows = collect(thresholdRows(sound, Infinity));
    const branches = Array.from(sound.ensemble.trueChild.keys()).filter(
      (node) => node < 40 && sound.ensemble.trueChild[node]! >= 0,
    );
    for (const branch of branches) {
      const threshold = sound.ensemble.threshold.slice();
      threshold[branch] = nextFloat(threshold[branch]!, true, 32);
      await expect(compare(misread({ threshold }), rows)).rejects.toThrow(DisagreementError);
    }
  });

  test('a comparison that takes equality the other way', async () => {
    await expect(
      compare(
        misread({ mode: sound.ensemble.mode.map((mode) => (mode === 1 ? 0 : mode)) }),
        collect(thresholdRows(sound, Infinity)),
      ),
    ).rejects.toThrow(DisagreementError);
  });

  test('missing values that go the other way', async () => {
    await expect(
      compare(
        misread({ missingTracksTrue: sound.ensemble.missingTracksTrue.map((tracks) => 1 - tracks) }),
        missingAndExtremeRows(sound, 200),
      ),
    ).rejects.toThrow(DisagreementError);
  });

  test('two children that are swapped', async () => {
    const { trueChild, falseChild } = sound.ensemble;
    const swapped = { trueChild: trueChild.slice(), falseChild: falseChild.slice() };
    swapped.trueChild[firstBranch] = falseChild[firstBranch]!;
    swapped.falseChild[firstBranch] = trueChild[firstBranch]!;
    await expect(compare(misread(swapped), randomRows(sound, 200))).rejects.toThrow(DisagreementError);
  });

  test('SHAP values that do not add up', async () => {
    const explainer = createExplainer(sound, 'PATH_DEPENDENT', null);
    const wrong = {
      ...explainer,
      expectedValue: explainer.expectedValue,
      explain: (rows: Float64Array, rowCount: number) =>
        explainer.explain(rows, rowCount).map((value) => value * 1.001),
    };
    await expect(requireAdditivity(sound, wrong, randomRows(sound, 20), [0])).rejects.toThrow(
      /SHAP values do not add up to the model's raw output \(off by/,
    );
    expect(await requireAdditivity(sound, explainer, randomRows(sound, 20), [0])).toBeLessThan(1e-12);
  });
});

describe('probe rows', () => {
  test('reach every reachable branch with its feature on the threshold, one step below and one step above', () => {
    const { trueChild, falseChild, feature, threshold, roots } = sound.ensemble;
    const { rows, rowCount } = collect(thresholdRows(sound, Infinity));
    const width = sound.featureCount;
    // All branches of this file are LT: a row goes to the true child below the threshold.
    const reached = new Set<string>();
    for (let row = 0; row < rowCount; row++) {
      for (const root of roots) {
        for (let node = root; trueChild[node]! >= 0;) {
          const value = rows[row * width + feature[node]!]!;
          reached.add(`${node} ${value}`);
          node = value < threshold[node]! ? trueChild[node]! : falseChild[node]!;
        }
      }
    }
    const missed: string[] = [];
    let reachable = 0;
    function visit(node: number, lows: readonly number[], highs: readonly number[]): void {
      if (trueChild[node]! < 0 || lows.some((low, column) => low > highs[column]!)) return;
      const column = feature[node]!;
      const on = threshold[node]!;
      const below = nextFloat(on, false, 32);
      for (const value of [below, on, nextFloat(on, true, 32)]) {
        if (value < lows[column]! || value > highs[column]!) continue;
        reachable++;
        if (!reached.has(`${node} ${value}`)) missed.push(`${node} at ${value}`);
      }
      visit(trueChild[node]!, lows, highs.with(column, Math.min(highs[column]!, below)));
      visit(falseChild[node]!, lows.with(column, Math.max(lows[column]!, on)), highs);
    }
    for (const root of roots) visit(root, Array<number>(width).fill(-Infinity), Array<number>(width).fill(Infinity));
    expect(missed).toEqual([]);
    expect(reachable).toBeGreaterThan(2 * branchCount(sound));
  });

  test('share a row among branches of several trees', () => {
    const parts = [...thresholdRows(sound, Infinity)];
    expect(parts.at(-1)!.tested).toBe(branchCount(sound));
    expect(collect(parts).rowCount).toBeLessThan(1.5 * branchCount(sound));
    process.stderr.write(
      `G ${collect(thresholdRows(sound, 7)).rowCount} ${[...thresholdRows(sound, 7)].at(-1)!.tested}\n`,
    );
    expect(collect(thresholdRows(sound, 7)).rowCount).toBeLessThanOrEqual(21);
  });

  test('are the same on every run', () => {
    expect(randomRows(sound, 5)).toEqual(randomRows(sound, 5));
  });
});

describe('nextFloat', () => {
  test.each([
    [1, 1 + 2 ** -23],
    [0, 2 ** -149],
    [-0, 2 ** -149],
    [-(2 ** -149), -0],
    [16777216, 16777218],
    [-1, -1 + 2 ** -24],
  ])('32 bits: after %d comes %d', (value, next) => {
    expect(nextFloat(value, true, 32)).toBe(next);
    if (next !== 0) expect(Math.fround(nextFloat(next, false, 32))).toBe(value === 0 ? 0 : value);
  });

  test('64 bits, and values that have no neighbour', () => {
    expect(nextFloat(1, true, 64)).toBe(1 + Number.EPSILON);
    expect(nextFloat(1, false, 64)).toBe(1 - Number.EPSILON / 2);
    expect(nextFloat(Infinity, false, 32)).toBe(Infinity);
    expect(nextFloat(Number.NaN, true, 64)).toBeNaN();
  });
});
