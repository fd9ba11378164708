import { describe, expect, test } from 'vitest';
import { barsTable, renderBars } from '../../../src/risk/plots/bars.js';
import {
  beeswarmGeometry,
  type BeeswarmInput,
  beeswarmTable,
  meanAbsolute,
  renderBeeswarm,
} from '../../../src/risk/plots/beeswarm.js';
import { comparisonTable, renderComparison } from '../../../src/risk/plots/comparison.js';
import {
  dependenceGeometry,
  dependenceTable,
  renderDependence,
  strongestInteraction,
} from '../../../src/risk/plots/dependence.js';
import { distributionTable, histogram, renderDistribution, spreadOf } from '../../../src/risk/plots/distribution.js';
import { tonesOf } from '../../../src/risk/plots/tones.js';
import { elements, expectFigure, marks, numberOf, texts } from '../support/figures.js';

const widths = [320, 860, 2560];
/** Numbers that are spread over [0, 1], the same in each run. */
const spread = (count: number, step = 0.618033988749895): number[] =>
  Array.from({ length: count }, (_, index) => (index * step) % 1);

describe('beeswarm', () => {
  const input: BeeswarmInput = {
    title: 'What moved the risks',
    subtitle: '300 patients',
    space: 'log-odds',
    features: [
      { label: 'Weak (kg)', shap: spread(300).map((value) => (value - 0.5) / 10), values: spread(300) },
      { label: 'Strong <mm Hg>', shap: spread(300).map((value) => value - 0.5), values: spread(300, 0.41) },
    ],
  };

  test('the strongest feature is on top, and each point is at its SHAP value', () => {
    expect(meanAbsolute([1, -3, 2])).toBe(2);
    const { features, rows, scale } = beeswarmGeometry(input);
    expect(features.map(({ label }) => label)).toEqual(['Strong <mm Hg>', 'Weak (kg)']);
    const perUnit = scale(1) - scale(0);
    for (const patient of [0, 17, 299])
      expect(rows[0]!.x[patient]! - scale(0)).toBeCloseTo((spread(300)[patient]! - 0.5) * perUnit, 9);
  });

  test('points do not lie on each other while there is room, and stay in their row', () => {
    const { rows, layout, radius } = beeswarmGeometry({ ...input, features: [input.features[1]!] }, { width: 2560 });
    const { x, y } = rows[0]!;
    let nearest = Number.POSITIVE_INFINITY;
    for (let left = 0; left < 300; left++) {
      expect(Math.abs(y[left]! - layout.middle(0))).toBeLessThanOrEqual(layout.band / 2);
      for (let right = 0; right < left; right++)
        nearest = Math.min(nearest, Math.hypot(x[left]! - x[right]!, y[left]! - y[right]!));
    }
    expect(nearest).toBeGreaterThan(radius * 0.9);
    const crowded = beeswarmGeometry({ ...input, features: [{ ...input.features[0]!, shap: new Array(300).fill(1) }] });
    expect(Math.max(...crowded.rows[0]!.y) - Math.min(...crowded.rows[0]!.y)).toBeLessThanOrEqual(crowded.layout.band);
  });

  test.each(widths)('fits into %d pixels; a page can draw the points on its own', (width) => {
    const svg = renderBeeswarm(input, { width });
    expectFigure(svg, width);
    expect(elements(svg, 'circle').length).toBeGreaterThanOrEqual(600);
    expect(marks(svg)[0]!.text).toMatch(/^Strong &lt;mm Hg&gt;: mean \|SHAP value\| \(log-odds\) 0\.25/);
    const frame = renderBeeswarm(input, { width, withPoints: false });
    expectFigure(frame, width);
    expect(elements(frame, 'circle')).toHaveLength(3);
    expect(frame).toContain('fill="none"');
  });

  test.each([240, 300, 420])('the legend is inside at %d pixels, also with missing values', (width) => {
    const features = input.features.map((feature) => ({ ...feature, values: [Number.NaN, ...spread(299)] }));
    const svg = renderBeeswarm({ ...input, features }, { width });
    expectFigure(svg, width);
    expect(texts(svg).map(({ text }) => text)).toContain('value: missing');
  });

  test('the table has the spread of each feature', () => {
    const table = beeswarmTable({
      ...input,
      features: [{ label: 'a', shap: [1, -2, 0.5], values: [0, 0, 0] }],
    });
    expect(table.rows).toEqual([['a', '1.17', '−2.00', '+0.50', '+1.00']]);
    expect(beeswarmTable({ ...input, features: [{ label: 'a', shap: [], values: [] }] }).rows[0]![1]).toBe('0.00');
  });
});

test('tones are thirds between the 5th and the 95th percentile, and a missing value has its own', () => {
  // 0 to 100 and an outlier: the percentiles are near 5 and 96, so that thirds end near 35.4 and 65.7.
  const values = [...Array.from({ length: 101 }, (_, index) => index), 1e9, Number.NaN];
  const tones = tonesOf(values);
  expect([tones[0], tones[35], tones[36], tones[65], tones[66], tones[101], tones[102]]).toEqual([0, 0, 1, 1, 2, 2, 3]);
  expect([...tonesOf([0, 1, 0, 1])]).toEqual([0, 2, 0, 2]);
  expect([...tonesOf([7, 7])]).toEqual([1, 1]);
  // A rare 1: the percentiles are equal, so the ends count.
  expect(tonesOf([...new Array<number>(99).fill(0), 1]).at(-1)).toBe(2);
});

test.each(widths)('bars are as long as their values, largest first, at %d pixels', (width) => {
  const input = {
    title: 'Mean size',
    subtitle: 'Cohort',
    unit: 'mean |SHAP value| (log-odds)',
    rows: [
      { label: 'Half', value: 0.2 },
      { label: 'Whole', value: 0.4 },
    ],
  };
  const svg = renderBars(input, { width });
  expectFigure(svg, width);
  const [whole, half] = marks(svg);
  expect([whole!.text, half!.text]).toEqual(['Whole: 0.400', 'Half: 0.200']);
  expect(numberOf(half!.markup, 'width') / numberOf(whole!.markup, 'width')).toBeCloseTo(0.5, 2);
  expect(barsTable(input).rows).toEqual([
    ['Whole', '0.400'],
    ['Half', '0.200'],
  ]);
});

describe('dependence', () => {
  const age = Array.from({ length: 400 }, (_, index) => 20 + (index % 50));
  const sex = Array.from({ length: 400 }, (_, index) => Math.floor(index / 50) % 2);
  const noise = spread(400);
  const feature = {
    label: 'Age (years)',
    values: age,
    shap: age.map((years, index) => (years - 45) / 50 + (sex[index] === 1 ? 0.2 : -0.2) + noise[index]! / 50),
  };
  const input = { title: 'Age', subtitle: 'Each point is one patient;', space: 'log-odds', feature };

  test('the strongest interaction is the feature that splits patients of like values', () => {
    const others = [
      { label: 'noise', values: spread(400, 0.27), shap: [] },
      { label: 'sex', values: sex, shap: [] },
    ];
    expect(strongestInteraction(feature, others)).toBe(1);
    const flat = { ...feature, shap: age.map(() => 0) };
    expect(strongestInteraction(flat, others)).toBe(-1);
    // Whether a value is missing counts too.
    const missing = { label: 'missing', values: sex.map((one) => (one ? Number.NaN : 5)), shap: [] };
    expect(strongestInteraction(feature, [others[0]!, missing])).toBe(1);
  });

  test.each(widths)('each patient with a value is a point at its value, at %d pixels', (width) => {
    const some = { ...feature, values: [Number.NaN, ...age.slice(1)] };
    const { points, frame, chosen } = dependenceGeometry({ ...input, feature: some }, { width });
    expect(chosen).toHaveLength(399);
    const at = chosen.indexOf(123);
    const share = (frame.y(0) - points.y[at]!) / (frame.y(0) - frame.y(1));
    expect(share).toBeCloseTo(feature.shap[123]!, 9);
    const svg = renderDependence(
      { ...input, feature: some, colouredBy: { label: 'Sex', values: sex, shap: [] } },
      { width },
    );
    expectFigure(svg, width);
    expect(svg).toContain('colour: Sex. 399 patients. missing: 1.');
  });

  test('few points can each be walked to, and a code has its name', () => {
    const coded = {
      label: 'Pain',
      values: [1, 2, 1],
      shap: [0.5, -0.25, 0.25],
      codes: [
        { value: 1, label: 'typical' },
        { value: 2, label: 'none' },
      ],
    };
    const svg = renderDependence({ ...input, feature: coded });
    expect(marks(svg).map(({ text }) => text)).toEqual([
      'Pain: typical; contribution (log-odds): +0.5',
      'Pain: none; contribution (log-odds): −0.3',
      'Pain: typical; contribution (log-odds): +0.3',
    ]);
    expect(dependenceTable({ ...input, feature: coded }).rows).toEqual([
      ['typical', '2', '+0.375'],
      ['none', '1', '−0.250'],
    ]);
  });

  test('a value that is none of the codes has no point', () => {
    const coded = {
      label: 'Pain',
      values: [1, 3, Number.NaN],
      shap: [0.5, 1, 1],
      codes: [{ value: 1, label: 'none' }],
    };
    const { points, frame, chosen } = dependenceGeometry({ ...input, feature: coded });
    expect(chosen).toEqual([0]);
    expect(points.x).toHaveLength(1);
    expect(points.x[0]).toBeGreaterThan(frame.left);
    expect(dependenceTable({ ...input, feature: coded }).rows).toEqual([['none', '1', '+0.500']]);
  });

  test('the table has tenths of the patients', () => {
    const { rows } = dependenceTable(input);
    expect(rows).toHaveLength(10);
    expect(rows.reduce((sum, [, patients]) => sum + Number(patients), 0)).toBe(400);
    expect(rows[0]![0]).toBe('20 – 24');
    // The lowest tenth is 20 to 24 years: a mean of -23 / 50, and noise of 1 / 100.
    expect(Number(rows[0]![2]!.replace('−', '-'))).toBeCloseTo(-0.45, 1);
  });
});

describe('distribution', () => {
  const values = [0, 0.04, 0.05, 0.25, 0.5, 0.51, 1];
  const input = {
    title: 'Risks',
    subtitle: '7 patients',
    valueLabel: 'probability (%)',
    isProbability: true,
    values,
    bands: [
      { name: 'low', from: 0, patients: 4 },
      { name: 'high', from: 0.5, patients: 3 },
    ],
  };

  test('every value is in one bin, also the greatest', () => {
    expect(histogram(values, [0, 1], 4).map(({ patients }) => patients)).toEqual([3, 1, 2, 1]);
    expect(histogram([3, 3], [3, 3], 2).reduce((sum, { patients }) => sum + patients, 0)).toBe(2);
  });

  test.each(widths)('bars are as high as their counts, and the band begins at its threshold, at %d pixels', (width) => {
    const svg = renderDistribution(input, { width });
    expectFigure(svg, width);
    const bars = marks(svg);
    const height = (text: string): number => numberOf(bars.find((bar) => bar.text.includes(text))!.markup, 'height');
    expect(height(': 0 – 5:') / height(': 95 – 100:')).toBeCloseTo(2, 1);
    const [low, high] = [...svg.matchAll(/<rect [^>]*fill-opacity[^>]*>/g)].map(([markup]) => markup);
    expect(numberOf(high!, 'x')).toBeCloseTo(numberOf(low!, 'x') + numberOf(low!, 'width'), 1);
    expect(numberOf(high!, 'width')).toBeCloseTo(numberOf(low!, 'width'), 1);
    expect(svg).toContain('low: 4 patients (57.1 %). high: 3 patients (42.9 %).');
  });

  test('the table has the bands, and a group has its quartiles', () => {
    expect(distributionTable(input).rows).toEqual([
      ['low', '4', '57.1'],
      ['high', '3', '42.9'],
    ]);
    expect(spreadOf([4, 1, 3, 2])).toEqual({ patients: 4, mean: 2.5, lower: 1.75, median: 2.5, upper: 3.25 });
    expect(spreadOf([])).toBeUndefined();
    expectFigure(renderDistribution({ ...input, values: [], bands: [] }), 860);
  });
});

describe('comparison', () => {
  const input = {
    title: 'Two groups',
    subtitle: 'Mean contributions',
    space: 'log-odds',
    groups: ['women (240)', 'men (360)'] as const,
    features: [
      { label: 'Near', means: [0.1, 0.2] as const },
      { label: 'Far', means: [-0.3, 0.5] as const },
    ],
  };

  test.each(widths)('the widest difference is on top, and groups differ by shape, at %d pixels', (width) => {
    const svg = renderComparison(input, { width });
    expectFigure(svg, width);
    const [far, near] = marks(svg);
    expect(far!.text).toBe('Far: women (240) −0.30, men (360) +0.50; difference +0.80');
    const length = (markup: string): number => numberOf(markup, 'x2') - numberOf(markup, 'x1');
    expect(length(far!.markup) / length(near!.markup)).toBeCloseTo(8, 1);
    expect(far!.markup).toMatch(/<circle .*<path /);
  });

  test('the table has both means and the difference', () => {
    expect(comparisonTable(input).rows).toEqual([
      ['Far', '−0.30', '+0.50', '+0.80'],
      ['Near', '+0.10', '+0.20', '+0.10'],
    ]);
  });
});
