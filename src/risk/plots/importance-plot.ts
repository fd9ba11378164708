import type { RiskModelManifest } from '../manifest.js';
import { spaceWords } from './output-words.js';
import { colours, decimals, element, escapeXml, figure, fitText, heading, plain, textAt, ticks } from './svg.js';

const layout = { width: 860, left: 300, right: 90, top: 84, rowHeight: 28, barHeight: 18, bottom: 56 } as const;

/** The maximum number of bars. One line counts the features that are not shown. */
const mostBars = 30;

type ImportanceInput = Pick<
  RiskModelManifest,
  'name' | 'version' | 'outputSpace' | 'quantity' | 'features' | 'globalImportance'
>;

/**
 * Draws a model's global importance (mean |SHAP value| by feature, largest first) as a self-contained SVG. The figure
 * says so when a bundle has none.
 */
export function renderImportancePlot(manifest: ImportanceInput): string {
  const importance = manifest.globalImportance ?? {};
  const sorted = manifest.features
    .flatMap(({ code, label }) => (code in importance ? [{ label, value: importance[code]! }] : []))
    .sort((left, right) => right.value - left.value);
  const space = spaceWords(manifest);
  const title = `${manifest.name} ${manifest.version}: how much each feature moves the output`;
  if (sorted.length === 0) {
    const none = 'The model gives no global importance.';
    return figure(layout.width, 90, title, none, heading(title, none, layout.width));
  }
  const bars = sorted.slice(0, mostBars);
  const largest = bars[0]!.value || 1;
  const places = decimals(largest);
  const x = (value: number): number => layout.left + (value / largest) * (layout.width - layout.left - layout.right);
  const bottom = layout.top + bars.length * layout.rowHeight;
  const unit = `mean |SHAP value| over the training rows (${space})`;
  const rest =
    sorted.length > bars.length
      ? ` ${sorted.length - bars.length} more features, each below ${plain(bars.at(-1)!.value, places)}, are not shown.`
      : '';
  const grid = ticks(0, largest, 6).map(
    (tick) =>
      element('line', { x1: x(tick), x2: x(tick), y1: layout.top, y2: bottom, stroke: colours.grid }) +
      textAt(x(tick), bottom + 18, plain(tick, places), {
        'text-anchor': 'middle',
        fill: colours.muted,
        'font-size': 12,
      }),
  );
  const rows = bars.map(({ label, value }, index) => {
    const top = layout.top + index * layout.rowHeight + (layout.rowHeight - layout.barHeight) / 2;
    return element(
      'g',
      {},
      element('title', {}, escapeXml(`${label}: ${plain(value, places)}`)) +
        textAt(layout.left - 12, top + 14, fitText(label, layout.left - 32, 13), { 'text-anchor': 'end' }) +
        element('rect', {
          x: layout.left,
          y: top,
          width: Math.max(1, x(value) - layout.left),
          height: layout.barHeight,
          fill: colours.lowers,
        }) +
        textAt(x(value) + 6, top + 14, plain(value, places), { 'font-size': 12 }),
    );
  });
  const description = `${unit}. ${bars.map(({ label, value }) => `${label}: ${plain(value, places)}.`).join(' ')}${rest}`;
  const caption = textAt((layout.left + layout.width - layout.right) / 2, bottom + 40, unit, {
    'text-anchor': 'middle',
    fill: colours.muted,
    'font-size': 12,
  });
  return figure(
    layout.width,
    bottom + layout.bottom,
    title,
    description,
    heading(title, `The larger, the more the feature moves the output, up or down.${rest}`, layout.width) +
      grid.join('') +
      rows.join('') +
      caption,
  );
}
