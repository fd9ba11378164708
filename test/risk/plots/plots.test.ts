import { describe, expect, test } from 'vitest';
import { renderImportancePlot } from '../../../src/risk/plots/importance-plot.js';
import { penOf } from '../../../src/risk/plots/options.js';
import { escapeXml, fitText, textWidth, ticks } from '../../../src/risk/plots/svg.js';
import { renderWaterfall, type WaterfallInput } from '../../../src/risk/plots/waterfall.js';
import { exampleManifest } from '../support/bundle.js';
import { texts as german } from '../../../web/texts/de/index.js';
import { expectFigure, expectWellFormed, texts } from '../support/figures.js';

const hostile =
  'Blood <script>alert("1")</script> & \'pressure\' \u0000\ud800 of a patient whose label no column will ever hold 血圧';
const input = (changes: Partial<WaterfallInput> = {}): WaterfallInput => ({
  manifest: { name: 'Example', version: '1.0.0', outcome: 'the event', outputSpace: 'PROBABILITY' },
  score: { probability: 0.319, riskBand: 'VERY_HIGH' },
  explanation: { baseValue: 0.5, outputValue: 0.45 },
  contributions: [
    { label: 'Age', displayValue: '52 years', value: -0.15 },
    { label: 'Pain', displayValue: 'typical', value: 0.1 },
  ],
  ...changes,
});

describe('waterfall', () => {
  test('has its content both as a picture and as text for screen readers', () => {
    const svg = renderWaterfall(input());
    expectWellFormed(svg);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*role="img" aria-labelledby="title-\w+ description-\w+"/,
    );
    expect(svg).toContain(
      'Probability 31.9 %, very high risk, of the event. In raw probability: from the base value 0.500 to the output ' +
        '0.450. Age, 52 years: −0.150. Pain, typical: +0.100.',
    );
    expect(svg).toContain('▼ −0.150');
    expect(svg).toContain('▲ +0.100');
    expect(svg).toContain('output 0.450 → probability 31.9 %');
    expect(svg).toContain('#B54F00');
    expect(svg).toContain('#0072B2');
    expect(svg).not.toMatch(/href|url\(|<image|<style|<script/);
  });

  test('escapes markup in labels', () => {
    const svg = renderWaterfall(
      input({
        manifest: { name: hostile, version: '1.0.0', outcome: hostile, outputSpace: 'LOG_ODDS' },
        contributions: [{ label: hostile, displayValue: hostile, value: 1 }],
      }),
    );
    expectWellFormed(svg);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('model output (log-odds)');
  });

  test('sums small contributions in one bar, so that the bars end at the output', () => {
    const contributions = Array.from({ length: 40 }, (_, index) => ({
      label: `feature ${index}`,
      displayValue: '1',
      value: (index + 1) / 1000,
    }));
    const svg = renderWaterfall(input({ contributions, explanation: { baseValue: 0, outputValue: 0.82 } }));
    expectWellFormed(svg);
    expect(svg.match(/<polygon/g)).toHaveLength(14);
    expect(svg).toContain('27 other features');
    expect(svg).toContain('+0.38');
  });

  test.each<[string, Partial<WaterfallInput>]>([
    ['no contribution at all', { contributions: [], explanation: { baseValue: 0, outputValue: 0 } }],
    [
      'contributions of zero',
      { contributions: [{ label: 'a', displayValue: '', value: 0 }], explanation: { baseValue: 0, outputValue: 0 } },
    ],
    [
      'large margins',
      {
        contributions: [{ label: 'a', displayValue: '', value: 1e6 }],
        explanation: { baseValue: -5e5, outputValue: 5e5 },
      },
    ],
    [
      'tiny margins',
      {
        contributions: [{ label: 'a', displayValue: '', value: 1e-9 }],
        explanation: { baseValue: 1, outputValue: 1.000000001 },
      },
    ],
  ])('draws %s', (_, changes) => {
    expectWellFormed(renderWaterfall(input(changes)));
  });

  test.each([280, 320, 2_560])('stays within %d pixels', (width) => {
    const svg = renderWaterfall(input(), { width });
    expectWellFormed(svg);
    expect(svg).toContain(`viewBox="0 0 ${width} `);
    // A mark of the legend is drawn around the point to which its group is moved.
    const placed = svg.replaceAll(/<g transform="translate\(([\d.-]+) [^"]*"><rect x="-6"/g, '<g x="$1"><rect');
    const ends = [...placed.matchAll(/ x[12]?="([\d.-]+)"/g)].map(([, x]) => Number(x));
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ends)).toBeLessThanOrEqual(width);
  });

  test.each([240, 320, 550, 860])(
    'labels of both ends stay inside, and the axis has numbers, at %d pixels',
    (width) => {
      for (const [baseValue, outputValue] of [
        [0.3, 4.9],
        [4.9, 0.3],
      ] as const) {
        const svg = renderWaterfall(
          input({
            explanation: { baseValue, outputValue },
            contributions: [{ label: 'Age', displayValue: '52 years', value: outputValue - baseValue }],
          }),
          { width },
        );
        expectFigure(svg, width);
        const shown = texts(svg).map(({ text }) => text);
        expect(shown.join(' ')).toContain(`output ${outputValue.toFixed(2)} → probability 31.9 %`);
        expect(shown.filter((text) => /^\d\.\d\d$/.test(text)).length).toBeGreaterThan(1);
      }
    },
  );

  test.each([320, 640, 860])('names of features are whole, and rows do not touch, at %d pixels', (width) => {
    const names = [
      'Exercise-induced angina pectoris',
      'ST depression by exercise relative to rest',
      'Fasting blood sugar',
    ];
    const contributions = names.map((label, index) => ({
      label,
      displayValue: 'missing (taken as 247 mg/dL of some substance)',
      value: 0.1 * (index + 1),
    }));
    const name = 'Obstructive coronary artery disease';
    const manifest = { name, version: '1.0.0', outcome: 'the event', outputSpace: 'PROBABILITY' } as const;
    const svg = renderWaterfall(input({ contributions, manifest }), { width, words: german.plots });
    expectFigure(svg, width);
    const all = texts(svg);
    expect(all.map(({ text }) => text).filter((text) => text.endsWith('…'))).toEqual([]);
    const joined = all.map(({ text }) => text).join(' ');
    for (const name of names) expect(joined).toContain(name);
    const column = all.filter(({ x, anchor }) => (width < 600 ? x === 16 : anchor === 'end' && x < width / 2));
    const lines = column.map(({ y }) => y).sort((above, below) => above - below);
    expect(lines.length).toBeGreaterThan(5);
    for (const [index, y] of lines.slice(1).entries()) expect(y - lines[index]!).toBeGreaterThanOrEqual(14.9);
  });

  test('speaks the language of the page, with its numbers', () => {
    const options = {
      words: german.plots,
      number: (value: number, places: number) => value.toFixed(places).replace('.', ','),
      percent: (share: number, places: number) => `${(share * 100).toFixed(places).replace('.', ',')}\u00a0%`,
      value: (value: number) => String(value).replace('.', ','),
    };
    const svg = renderWaterfall(input({ explanation: { baseValue: 0.5, outputValue: 0.45 } }), options);
    expectFigure(svg, 860);
    const shown = texts(svg).map(({ text }) => text);
    expect(shown).toEqual(
      expect.arrayContaining([
        'Example 1.0.0: was dieses Risiko bewegt hat',
        'Wahrscheinlichkeit 31,9\u00a0% (sehr hohes Risiko) für the event',
        'Modellausgabe (rohe Wahrscheinlichkeit)',
        'Ausgabe 0,450 → Wahrscheinlichkeit 31,9\u00a0%',
        'Basiswert 0,500',
        '▲ erhöht',
      ]),
    );
    expect(svg).toContain('Als rohe Wahrscheinlichkeit: vom Basiswert 0,500 zur Ausgabe 0,450.');
    const spoken = [...svg.matchAll(/>([^<]+)</g)].map(([, text]) => text!).join(' ');
    expect(spoken.replaceAll('Example 1.0.0', '')).not.toMatch(/probability|output|value|risk\b|\d\.\d/);
    const days = renderWaterfall(
      input({
        manifest: {
          name: 'Stay',
          version: '2',
          outcome: 'length of stay',
          outputSpace: 'LOG',
          quantity: { unitLabel: 'Tage' },
        },
        score: { quantity: 7.25, riskBand: 'HIGH' },
      }),
      options,
    );
    expect(days).toContain('7,25 Tage, hohes Risiko, length of stay. Als Logarithmus von Tage:');
    expect(days).toContain('was diese Größe bewegt hat');
  });

  test('two figures on one page have ids of their own', () => {
    const id = (svg: string): string => /id="(title-\w+)"/.exec(svg)![1]!;
    expect(id(renderWaterfall(input()))).not.toBe(
      id(renderWaterfall(input({ score: { probability: 0.2, riskBand: 'LOW' } }))),
    );
  });
});

describe('importance plot', () => {
  test('shows features by importance with their labels', () => {
    const svg = renderImportancePlot(
      exampleManifest(new Uint8Array(0), { globalImportance: { age: 0.02, chest_pain: 0.111 } }),
    );
    expectWellFormed(svg);
    expect(svg).toContain('mean |SHAP value| over the training rows (raw probability). Chest pain: 0.111. Age: 0.020.');
  });

  test('says when no feature contributes, and leaves out features that do not fit', () => {
    expect(renderImportancePlot(exampleManifest(new Uint8Array(0)))).toContain('The model gives no global importance.');
    const base = exampleManifest(new Uint8Array(0)).features[0]!;
    const features = Array.from({ length: 50 }, (_, index) => ({ ...base, code: `f${index}`, label: hostile }));
    const svg = renderImportancePlot(
      exampleManifest(new Uint8Array(0), {
        features,
        globalImportance: Object.fromEntries(features.map(({ code }, index) => [code, index])),
      }),
    );
    expectWellFormed(svg);
    expect(svg).toContain('20 more features');
  });
});

describe('the parts of a figure', () => {
  test('escapes markup and drops characters that XML does not allow', () => {
    expect(escapeXml(`<a b="c">&'\u0001\ud800😀`)).toBe('&lt;a b=&quot;c&quot;&gt;&amp;&#39;😀');
  });

  test('cuts text to a width', () => {
    expect(fitText('short', 200, 13)).toBe('short');
    const cut = fitText(hostile, 200, 13);
    expect(cut.endsWith('…')).toBe(true);
    expect(textWidth(cut, 13)).toBeLessThanOrEqual(200);
  });

  test('puts ticks on round numbers and signs on all others', () => {
    expect(ticks(-0.13, 0.41, 6)).toEqual([-0.1, 0, 0.1, 0.2, 0.3, 0.4]);
    expect(ticks(0.3, 4.9, 2)).toEqual([2, 4]);
    expect(ticks(0.06, 1.9, 2)).toEqual([0.5, 1.5]);
    const { signed } = penOf({});
    expect([signed(0.1234, 2), signed(-0.1234, 2), signed(0.0001, 2)]).toEqual(['+0.12', '−0.12', '±0.00']);
  });
});
