import { expect, test } from 'vitest';
import {
  gridCells,
  partialDependence,
  type PartialDependenceInput,
  partialDependenceTable,
  renderPartialDependence,
} from '../../../src/risk/plots/partial-dependence.js';
import { elements, expectFigure, marks, numberOf, texts } from '../support/figures.js';

const input: PartialDependenceInput = {
  title: 'Partial dependence: age',
  subtitle: 'The answers for 2 patients',
  featureLabel: 'Age (years)',
  valueLabel: 'probability (%)',
  isProbability: true,
  grid: [20, 40, 60, 80],
  curves: [
    [0.1, 0.2, 0.4, 0.4],
    [0.3, 0.4, 0.4, 0.8],
  ],
  observed: [29.9, 30, 49, 70],
};

test('the mean of the curves is the partial dependence', () => {
  expect(partialDependence(input.curves).map((value) => Number(value.toFixed(12)))).toEqual([0.2, 0.3, 0.4, 0.6]);
});

test('every patient within the grid is counted once, around the nearest value', () => {
  expect(gridCells(input.grid, input.observed!)).toEqual([
    { from: 20, to: 30, patients: 1 },
    { from: 30, to: 50, patients: 2 },
    { from: 50, to: 70, patients: 0 },
    { from: 70, to: 80, patients: 1 },
  ]);
  expect(gridCells([1, 2, 3], [1, 1, 3]).map(({ patients }) => patients)).toEqual([2, 0, 1]);
  expect(gridCells([5], [5, 6]).map(({ patients }) => patients)).toEqual([1]);
});

test.each([320, 860, 2560])('is grey from 50 to 70 years, where no patient is, at %d pixels', (width) => {
  const svg = renderPartialDependence(input, { width });
  expectFigure(svg, width);
  const [grey] = [...svg.matchAll(/<rect [^>]*fill-opacity="0.6"[^>]*>/g)].map(([markup]) => markup);
  const means = marks(svg).map(({ markup }) => numberOf(markup, 'cx'));
  const at = (age: number): number => means[0]! + ((age - 20) / 60) * (means[3]! - means[0]!);
  expect(numberOf(grey!, 'x')).toBeCloseTo(at(50), 0);
  expect(numberOf(grey!, 'x') + numberOf(grey!, 'width')).toBeCloseTo(at(70), 0);
  expect(svg).toContain('no patients here');
  expect(svg).toContain('one line per patient (2)');
  // Two thin lines and one thick one.
  expect(elements(svg, 'path').filter((attributes) => attributes.includes('d="M'))).toHaveLength(3);
  expect(marks(svg)[2]!.text).toBe('60: 40.0 %; 0 patients');
});

test('codes have their names, and the value of a patient is pointed out', () => {
  const coded = {
    ...input,
    grid: [1, 2],
    codes: ['none', 'typical <angina>'],
    curves: [[0.25, 0.75]],
    observed: [1],
    current: 2,
  };
  const svg = renderPartialDependence(coded);
  expectFigure(svg, 860);
  expect(texts(svg).map(({ text }) => text)).toContain('this patient');
  expect(marks(svg).map(({ text }) => text)).toEqual([
    'none: 25.0 %; 1 patients',
    'typical &lt;angina&gt;: 75.0 %; 0 patients',
  ]);
  const dashed = /<line ([^>]*stroke-dasharray="3 3"[^>]*)\/>/.exec(svg)![1]!;
  expect(numberOf(dashed, 'x1')).toBe(numberOf(marks(svg)[1]!.markup, 'cx'));
});

test('the table has the mean, the ends and the patients', () => {
  const table = partialDependenceTable(input);
  expect(table.columns).toEqual(['Age (years)', 'mean', 'low', 'high', 'patients']);
  expect(table.rows[3]).toEqual(['80', '60.0 %', '40.0 %', '80.0 %', '1']);
});

test('nothing is drawn without patients', () => {
  const none = { ...input, curves: [], observed: [] };
  const svg = renderPartialDependence(none);
  expectFigure(svg, 860);
  expect(marks(svg)).toEqual([]);
  expect(partialDependenceTable(none).rows).toEqual([]);
});

test('the only value of a grid has no superfluous decimals', () => {
  const one = { ...input, grid: [36.5], curves: [[0.25]], observed: [36.5] };
  expect(marks(renderPartialDependence(one)).map(({ text }) => text)).toEqual(['36.5: 25.0 %; 1 patients']);
  expect(partialDependenceTable(one).rows).toEqual([['36.5', '25.0 %', '25.0 %', '25.0 %', '1']]);
});
