import { expect, test } from 'vitest';
import { reliabilityTable, renderReliability } from '../../../src/risk/plots/reliability.js';
import { expectFigure, marks, numberOf } from '../support/figures.js';

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
