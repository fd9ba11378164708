import { expect, test } from 'vitest';
import { reliabilityBins, reliabilityTable, renderReliability } from '../../../src/risk/plots/reliability.js';
import { expectFigure, marks, numberOf } from '../support/figures.js';

test('bins have equal numbers of patients, and the intervals of Wilson', () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({ probability: (40 - index) / 50, event: index < 13 }));
  const bins = reliabilityBins(rows, 2);
  expect(bins.map(({ patients, observed }) => [patients, observed])).toEqual([
    [20, 0],
    [20, 0.65],
  ]);
  // The mean of 1..20 and of 21..40, in fiftieths.
  expect(bins[0]!.predicted).toBeCloseTo(10.5 / 50, 12);
  expect(bins[1]!.predicted).toBeCloseTo(30.5 / 50, 12);
  // Wilson's interval ends where the rate is 1.96 standard errors of that end away.
  for (const { observed, patients, interval } of bins)
    for (const end of interval)
      expect((observed - end) ** 2).toBeCloseTo((1.959964 ** 2 * end * (1 - end)) / patients, 6);
  expect(bins[1]!.interval[0]).toBeLessThan(0.65);
  expect(bins[1]!.interval[1]).toBeGreaterThan(0.65);
});

test('patients of one probability share a bin', () => {
  const rows = Array.from({ length: 30 }, (_, index) => ({ probability: index < 25 ? 0.1 : 0.9, event: index === 0 }));
  const bins = reliabilityBins(rows, 10);
  expect(bins.reduce((sum, { patients }) => sum + patients, 0)).toBe(30);
  expect(bins[0]).toMatchObject({ patients: 25, observed: 1 / 25 });
});

test.each([320, 860, 2560])('a well-calibrated bin is on the line of perfect calibration, at %d pixels', (width) => {
  const input = {
    title: 'Reliability',
    subtitle: 'By 10 bins',
    bins: [
      { predicted: 0.25, observed: 0.25, patients: 1200, interval: [0.2, 0.3] as const },
      { predicted: 0.75, observed: 0.5, patients: 30, interval: [0.3, 0.7] as const },
    ],
  };
  const svg = renderReliability(input, { width });
  expectFigure(svg, width);
  const line = /<line ([^>]*stroke-dasharray="5 4"[^>]*)\/>/.exec(svg)![1]!;
  const onLine = (x: number): number => {
    const share = (x - numberOf(line, 'x1')) / (numberOf(line, 'x2') - numberOf(line, 'x1'));
    return numberOf(line, 'y1') + share * (numberOf(line, 'y2') - numberOf(line, 'y1'));
  };
  const [calibrated, tooHigh] = marks(svg).map(({ markup }) => /<circle .*/.exec(markup)![0]);
  expect(numberOf(calibrated!, 'cy')).toBeCloseTo(onLine(numberOf(calibrated!, 'cx')), 0);
  // The model predicts too high: the point is below the line.
  expect(numberOf(tooHigh!, 'cy')).toBeGreaterThan(onLine(numberOf(tooHigh!, 'cx')) + 20);
  expect(reliabilityTable(input).rows[1]).toEqual(['75.0 %', '50.0 %', '30.0 % – 70.0 %', '30']);
});

test('no bin is drawn as none', () => {
  const svg = renderReliability({ title: 'Reliability', subtitle: 'none', bins: [] });
  expect(svg).toContain('There is nothing to draw yet.');
});
