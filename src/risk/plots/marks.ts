import { boldSize, centreWithin, colours, element, escapeXml, fitText, textAt, textWidth } from './svg.js';
import type { PlotWords } from './words.js';

/** One entry of a legend. `mark` is drawn around (0, 0). */
export interface LegendEntry {
  readonly mark: string;
  readonly text: string;
}

/** Places the entries one after the other, on as many lines as they need. */
function legendPlaces(entries: readonly LegendEntry[], width: number) {
  let [x, line] = [24, 0];
  return entries.map(({ mark, text: whole }) => {
    const text = fitText(whole, width - 46, 12);
    const wide = textWidth(text, 12) + 34;
    if (x > 24 && x + wide > width) [x, line] = [24, line + 1];
    const place = { mark, text, x, line };
    x += wide;
    return place;
  });
}

/** Returns the pixels that the lines of a legend take. */
export function legendHeight(entries: readonly LegendEntry[], width: number): number {
  return legendLine * ((legendPlaces(entries, width).at(-1)?.line ?? -1) + 1);
}

const legendLine = 20;

/** Draws a legend. `y` is the base line of its first line. */
export function legend(
  entries: readonly LegendEntry[],
  { width, y }: { readonly width: number; readonly y: number },
): string {
  return legendPlaces(entries, width)
    .map(({ mark, text, x, line }) => {
      const at = y + line * legendLine;
      return (
        element('g', { transform: `translate(${x} ${at - 4})` }, mark) + textAt(x + 14, at, text, { 'font-size': 12 })
      );
    })
    .join('');
}

/** Draws the legend of the colours that show a direction, at the bottom of a figure. */
export function directionLegend(
  words: Pick<PlotWords, 'raises' | 'lowers'>,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const entries = [
    { mark: swatch(colours.raises), text: `▲ ${words.raises}` },
    { mark: swatch(colours.lowers), text: `▼ ${words.lowers}` },
  ];
  return legend(entries, { width, y: height - 14 });
}

/** Height of a line of the label of an end point. */
export const endpointLine = 15;

/** Returns the lines of the label of an end point: one where its parts fit on it, else one per part. */
export function endpointLines(parts: readonly string[], width: number): string[] {
  const size = boldSize(12);
  const whole = parts.join(' ');
  if (textWidth(whole, size) <= width - 16) return [whole];
  return parts.map((part) => fitText(part, width - 16, size));
}

/** Draws the point where the bars of a figure begin or end, with its label above or below the rows. */
export function endpoint(x: number, y: number, lines: readonly string[], width: number, isAbove: boolean): string {
  const point = isAbove ? `M${x.toFixed(2)},${y + 3} l-4,-6 h8 z` : `M${x.toFixed(2)},${y - 3} l-4,6 h8 z`;
  return (
    element('path', { d: point, fill: colours.text }) +
    lines
      .map((line, index) =>
        textAt(
          centreWithin(line, x, width, boldSize(12)),
          isAbove ? y - 8 - (lines.length - 1 - index) * endpointLine : y + 16 + index * endpointLine,
          line,
          { 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 600 },
        ),
      )
      .join('')
  );
}

/** Writes a mark that a reader can walk to: its text is a tool tip, and a page reads it out. */
export function mark(text: string, drawn: string): string {
  return element('g', { class: 'plot-mark' }, element('title', {}, escapeXml(text)) + drawn);
}

/** Draws a bar with a point in the direction that it moves the output. */
export function arrow([from, to]: readonly [number, number], top: number, barHeight: number, raises: boolean): string {
  const head = Math.min(8, Math.abs(to - from));
  const neck = raises ? to - head : to + head;
  const [middle, bottom] = [top + barHeight / 2, top + barHeight];
  const points = [
    [from, top],
    [neck, top],
    [to, middle],
    [neck, bottom],
    [from, bottom],
  ]
    .map((point) => point.map((value) => value!.toFixed(2)).join(','))
    .join(' ');
  const colour = raises ? colours.raises : colours.lowers;
  return element('polygon', { points, fill: colour, stroke: colour, 'stroke-width': 1 });
}

/** Draws a square as a legend shows it. */
export function swatch(colour: string): string {
  return element('rect', { x: -6, y: -6, width: 12, height: 12, fill: colour });
}

/** Draws a mark of one of four shapes around a point, so that groups differ without colour. */
export function shape(
  index: number,
  x: number,
  y: number,
  attributes: Readonly<Record<string, string | number>>,
): string {
  const at = (value: number): string => String(Number(value.toFixed(2)));
  switch (index % 4) {
    case 0:
      return element('circle', { cx: x, cy: y, r: 4.5, ...attributes });
    case 1:
      return element('rect', { x: x - 4.5, y: y - 4.5, width: 9, height: 9, ...attributes });
    case 2:
      return element('path', { d: `M${at(x)},${at(y - 6)} l6,6 l-6,6 l-6,-6 z`, ...attributes });
    default:
      return element('path', { d: `M${at(x)},${at(y - 6)} l6,10 h-12 z`, ...attributes });
  }
}
