import { expect, test } from 'vitest';
import {
  contributionChanges,
  type DifferenceInput,
  differenceTable,
  renderDifference,
} from '../../../src/risk/plots/difference.js';
import { englishWords } from '../../../src/risk/plots/words.js';
import { elements, expectFigure, marks, texts } from '../support/figures.js';

const contribution = (code: string, value: number, displayValue: string) => ({
  code,
  label: `Label of ${code}`,
  displayValue,
  value,
});

const input: DifferenceInput = {
  title: 'Between two predictions',
  subtitle: 'Probability 31.9 % before, 42.0 % after',
  space: 'log-odds',
  baseLabel: 'Another base value',
  before: {
    name: 'March',
    baseValue: 0.25,
    outputValue: 0.87,
    contributions: [contribution('age', 0.5, '52 years'), contribution('pain', 0.12, 'typical')],
  },
  after: {
    name: 'May',
    baseValue: 0.25,
    outputValue: 0.5,
    contributions: [contribution('pain', -0.25, 'none'), contribution('age', 0.5, '52 years')],
  },
};

/** The left and the right end of each bar, in the order of the rows. */
const bars = (svg: string): number[][] =>
  elements(svg, 'polygon').map((attributes) => {
    const across = /points="([^"]*)"/
      .exec(attributes)![1]!
      .split(' ')
      .map((point) => Number(point.split(',')[0]));
    return [Math.min(...across), Math.max(...across)];
  });

test('joins contributions by code, whatever their order, and the changes add up to that of the output', () => {
  const changes = contributionChanges(input);
  expect(changes.map(({ label, change }) => [label, change])).toEqual([
    ['Label of pain', -0.37],
    ['Label of age', 0],
  ]);
  expect(changes.reduce((sum, { change }) => sum + change, 0)).toBe(input.after.outputValue - input.before.outputValue);
});

test('a feature of only one model and another base value are changes too', () => {
  const changes = contributionChanges({
    ...input,
    after: { name: 'May', baseValue: 1, outputValue: 1.75, contributions: [contribution('weight', 0.75, '80 kg')] },
  });
  expect(changes.map(({ label, change }) => [label, change])).toEqual([
    ['Label of weight', 0.75],
    ['Label of age', -0.5],
    ['Label of pain', -0.12],
    ['Another base value', 0.75],
  ]);
  expect(changes.reduce((sum, { change }) => sum + change, 0)).toBeCloseTo(1.75 - 0.87, 12);
});

test('draws each change from the output before to the output after, with its sign as text', () => {
  const svg = renderDifference(input);
  expectFigure(svg, 860);
  expect(marks(svg).map(({ text }) => text)).toEqual(['Label of pain (typical → none): ▼ −0.37']);
  expect(svg).toContain('log-odds: March 0.87, May 0.50 (−0.37).');
  // As a waterfall, it reads upwards: from the earlier output at the bottom to the later one at the top.
  const end = (text: string): number => texts(svg).find((one) => one.text === text)!.y;
  expect(end('May: 0.50')).toBeLessThan(end('March: 0.87'));
  // One bar spans the whole change. The numbers of the axis say how many pixels 0.1 are.
  const numbers = texts(svg).filter(({ text }) => /^0\.\d0$/.test(text));
  const [first, second] = [numbers[0]!, numbers.at(-1)!];
  const perUnit = (second.x - first.x) / (Number(second.text) - Number(first.text));
  const [[low, high]] = bars(svg) as [[number, number]];
  expect(high - low).toBeCloseTo(0.37 * perUnit, 0);
});

test('bars follow one another, also where small changes share one', () => {
  const many = Array.from({ length: 30 }, (_, index) => contribution(`f${index}`, 0, 'a'));
  const changed = many.map((one, index) => ({ ...one, value: (index % 2 ? 1 : -1) * (index + 1) * 0.01 }));
  const total = changed.reduce((sum, { value }) => sum + value, 0);
  for (const width of [320, 860, 2560]) {
    const svg = renderDifference(
      {
        ...input,
        before: { name: 'March', baseValue: 0, outputValue: 0, contributions: many },
        after: { name: 'May', baseValue: 0, outputValue: total, contributions: changed },
      },
      { width },
    );
    expectFigure(svg, width);
    const spans = bars(svg);
    expect(spans).toHaveLength(12);
    expect(svg).toContain('19 other features');
    for (const [index, [low, high]] of spans.slice(1).entries()) {
      const earlier = spans[index]!;
      expect(Math.min(...[low!, high!].flatMap((end) => earlier.map((other) => Math.abs(end - other))))).toBeLessThan(
        0.03,
      );
    }
  }
});

test('numbers have the decimals of the waterfalls, and no bar that can be seen reads as zero', () => {
  const side = (name: string, age: number, pain: number, rest = 0) => ({
    name,
    baseValue: 0.25,
    outputValue: 0.25 + age + pain + rest,
    contributions: [
      contribution('age', age, '52 years'),
      contribution('pain', pain, 'typical'),
      contribution('rest', rest, 'none'),
    ],
  });
  // Both waterfalls span less than half, so they have three decimals.
  const like = { ...input, before: side('March', 0.3, 0.01), after: side('May', 0.05, 0.01) };
  expect(texts(renderDifference(like)).map(({ text }) => text)).toContain('March: 0.560');
  expect(differenceTable(like).rows[0]!.at(-1)).toBe('−0.250');
  // A change of 0.002 is 1.6 pixels wide beside one of 0.6.
  const small = { ...input, before: side('March', 0.7, 0.1), after: side('May', 0.1, 0.102, 1e-7) };
  const svg = renderDifference(small);
  expectFigure(svg, 860);
  expect(marks(svg).map(({ text }) => text.split(': ')[1])).toEqual(['▼ −0.600', '▲ +0.002', '±0.000']);
  // The bar of the last would be far narrower than its outline.
  expect(bars(svg)).toHaveLength(2);
});

test('nothing changed: there is no bar, and the text says so', () => {
  const svg = renderDifference({ ...input, after: { ...input.before, name: 'May' } });
  expectFigure(svg, 860);
  expect(bars(svg)).toEqual([]);
  expect(svg).toContain('unchanged.');
});

test('the table has every feature with both values, in the language of the reader', () => {
  const german = {
    number: (value: number, places: number) => value.toFixed(places).replace('.', ','),
    words: { ...englishWords, feature: 'Merkmal' },
  };
  const table = differenceTable(input, german);
  expect(table.columns[0]).toBe('Merkmal');
  expect(table.rows).toEqual([
    ['Label of pain', 'typical', 'none', '+0,12', '−0,25', '−0,37'],
    ['Label of age', '52 years', '52 years', '+0,50', '+0,50', '±0,00'],
  ]);
  expect(renderDifference(input, german)).toContain('▼ −0,37');
});
