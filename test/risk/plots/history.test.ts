import { expect, test } from 'vitest';
import { type HistoryInput, historyTable, renderHistory } from '../../../src/risk/plots/history.js';
import { expectFigure, marks, numberOf, texts } from '../support/figures.js';

const point = (day: number, value: number, modelVersion = '1.0.0') => ({
  time: new Date(Date.UTC(2026, 0, day)),
  value,
  band: value < 0.5 ? 'low' : 'high',
  modelVersion,
});
const input: HistoryInput = {
  title: 'Scores of a patient',
  subtitle: 'Heart disease',
  valueLabel: 'probability (%)',
  isProbability: true,
  points: [point(21, 0.75), point(1, 0.25), point(11, 0.5)],
  bands: [
    { name: 'low', from: 0 },
    { name: 'high', from: 0.5 },
  ],
  date: (time, use) => (use === 'AXIS' ? String(time.getUTCDate()) : time.toISOString().slice(0, 10)),
};

test('puts points in the order of time, evenly for even times and values', () => {
  const svg = renderHistory(input);
  expectFigure(svg, 860);
  const drawn = marks(svg);
  expect(drawn.map(({ text }) => text)).toEqual([
    '2026-01-01: 25.0 %, low, model version 1.0.0',
    '2026-01-11: 50.0 %, high, model version 1.0.0',
    '2026-01-21: 75.0 %, high, model version 1.0.0',
  ]);
  const places = drawn.map(({ markup }) => [numberOf(markup, 'cx'), numberOf(markup, 'cy')]);
  expect(places[1]![0]! - places[0]![0]!).toBeCloseTo(places[2]![0]! - places[1]![0]!, 1);
  expect(places[0]![1]! - places[1]![1]!).toBeCloseTo(places[1]![1]! - places[2]![1]!, 1);
  // 50 % is half way between the numbers 0 and 100 of the axis, which stand 4 pixels below their lines.
  const [nought, hundred] = ['0', '100'].map((number) => texts(svg).find(({ text }) => text === number)!.y - 4);
  expect((nought! + hundred!) / 2).toBeCloseTo(places[1]![1]!, 1);
});

test('the band below a threshold ends where the next begins', () => {
  const bands = [...renderHistory(input).matchAll(/<rect [^>]*fill-opacity[^>]*>/g)].map(([markup]) => markup);
  expect(bands).toHaveLength(2);
  const [low, high] = bands as [string, string];
  expect(numberOf(low, 'y')).toBeCloseTo(numberOf(high, 'y') + numberOf(high, 'height'), 1);
  expect(numberOf(low, 'height')).toBeCloseTo(numberOf(high, 'height'), 1);
});

test.each([320, 860, 2560])('fits into %d pixels, and versions differ by shape', (width) => {
  const points = Array.from({ length: 40 }, (_, index) => point(index * 9, (index % 10) / 10, `1.${index % 3}.0`));
  const svg = renderHistory({ ...input, points }, { width });
  expectFigure(svg, width);
  const shapes = new Set(marks(svg).map(({ markup }) => /^<(\w+)/.exec(markup)![1]));
  expect([...shapes]).toEqual(['circle', 'rect', 'path']);
  expect(svg).toContain('model version 1.2.0');
});

test('a quantity has a scale of its own; one point and none are drawn too', () => {
  const days = {
    ...input,
    isProbability: false,
    valueLabel: 'length of stay (days)',
    bands: [{ name: 'short', from: 0 }],
  };
  const svg = renderHistory({ ...days, points: [{ ...point(1, 3.25), band: 'short' }] });
  expectFigure(svg, 860);
  expect(marks(svg)[0]!.text).toBe('2026-01-01: 3.25, short, model version 1.0.0');
  const empty = renderHistory({ ...input, points: [] });
  expectFigure(empty, 860);
  expect(empty).toContain('There is nothing to draw yet.');
});

test('scores of one day have the time of day on the axis, and a day is written once', () => {
  const at = (day: number, hour: number) => ({ ...point(day, 0.5), time: new Date(Date.UTC(2026, 0, day, hour)) });
  const date: HistoryInput['date'] = (time, use) =>
    time.toISOString().slice(...(use === 'AXIS' ? [0, 10] : use === 'TIME' ? [11, 16] : [0, 16]));
  const shown = (points: HistoryInput['points']): string[] =>
    texts(renderHistory({ ...input, points, date })).map(({ text }) => text);
  expect(shown([at(1, 8), at(1, 20)])).toEqual(expect.arrayContaining(['08:00', '20:00', 'time, 2026-01-01']));
  const days = shown([at(1, 0), at(20, 0), at(20, 23), at(1, 23)]);
  expect(days.filter((text) => text.startsWith('2026-'))).toEqual(['2026-01-01', '2026-01-20']);
});

test.each([320, 860])('the latest number is not on the label of the axis, at %d pixels', (width) => {
  for (const points of [[point(1, 0.958)], [point(1, 0.2), point(2, 0.99)]]) {
    const svg = renderHistory({ ...input, points }, { width });
    expectFigure(svg, width);
    const [latest, label] = [/^9\d\.\d %$/, /^probability/].map((form) =>
      texts(svg).find(({ text }) => form.test(text))!,
    );
    expect(Math.abs(latest!.y - label!.y)).toBeGreaterThan(16);
  }
});

test('the table is newest first', () => {
  expect(historyTable(input)).toEqual({
    caption: 'Scores of a patient',
    columns: ['time', 'probability (%)', 'band', 'model version'],
    rows: [
      ['2026-01-21', '75.0 %', 'high', '1.0.0'],
      ['2026-01-11', '50.0 %', 'high', '1.0.0'],
      ['2026-01-01', '25.0 %', 'low', '1.0.0'],
    ],
  });
});
