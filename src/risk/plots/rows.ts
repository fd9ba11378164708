import type { Scale } from './scale.js';
import { axisLabel, colours, element, fitText, textAt, textWidth, ticks, wrapText } from './svg.js';

/** A figure with one row per feature: names on the left, or above the marks where the figure is narrow. */
interface RowLayout {
  readonly width: number;
  /** Pixels between which the marks are. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly height: number;
  /** Height of the place of a row's marks. */
  readonly band: number;
  /** The vertical middle of a row's marks. */
  middle(index: number): number;
  /** Writes the name of a row and a detail. */
  names(index: number, label: string, detail?: string): string;
}

interface RowSizes {
  readonly width: number;
  readonly rows: number;
  readonly band: number;
  /** Room for the heading. */
  readonly top: number;
  /** Room below the rows, for the axis and a legend. */
  readonly below: number;
  /** True: each row has a detail below its name. */
  readonly details?: boolean;
  /** Room on the right, for numbers. */
  readonly right: number;
}

/** Lays rows out for a width. */
export function rowLayout({ width, rows, band, top, below, right, details = false }: RowSizes): RowLayout {
  const narrow = width < 600;
  const left = narrow ? 24 : Math.min(320, Math.max(190, Math.round(width * 0.3)));
  const above = narrow ? (details ? 34 : 20) : 0;
  const bottom = top + rows * (band + above);
  return {
    width,
    left,
    right: width - right,
    top,
    bottom,
    height: bottom + below,
    band,
    middle: (index) => top + index * (band + above) + above + band / 2,
    names: (index, label, detail = '') => {
      const y = top + index * (band + above);
      if (narrow) {
        const name = fitText(label, width - 32, 13);
        return (
          textAt(16, y + 15, name, { 'font-weight': 600 }) +
          (detail && textAt(16, y + 30, fitText(detail, width - 32, 12), { fill: colours.muted, 'font-size': 12 }))
        );
      }
      const room = left - 36;
      const end = { 'text-anchor': 'end' };
      const middle = y + band / 2;
      if (detail === '') {
        const lines = wrapText(label, room, 13, band < 30 ? 1 : 2);
        return lines
          .map((line, at) => textAt(left - 16, middle + 4 + (at - (lines.length - 1) / 2) * 15, line, end))
          .join('');
      }
      return (
        textAt(left - 16, middle - 3, fitText(label, room, 13), end) +
        textAt(left - 16, middle + 12, fitText(detail, room, 12), { ...end, fill: colours.muted, 'font-size': 12 })
      );
    },
  };
}

interface RowAxis {
  readonly label: string;
  readonly text: (value: number) => string;
  /** Pixels by which the numbers are lower, for a mark above them. */
  readonly lower?: number;
}

/** Draws the vertical lines of a horizontal scale, their numbers and the label below. */
export function rowAxis(layout: RowLayout, scale: Scale, { label, text, lower = 0 }: RowAxis): string {
  const { left, right, top, bottom } = layout;
  const widest = Math.max(textWidth(text(scale.low), 12), textWidth(text(scale.high), 12)) + 16;
  const count = Math.max(2, Math.min(10, Math.floor((right - left) / widest)));
  const lines = ticks(scale.low, scale.high, count).map((tick) => {
    const x = scale(tick);
    const stroke = tick === 0 && scale.low < 0 ? colours.muted : colours.grid;
    return (
      element('line', { x1: x, x2: x, y1: top, y2: bottom, stroke }) +
      textAt(x, bottom + 18 + lower, text(tick), { 'text-anchor': 'middle', fill: colours.muted, 'font-size': 12 })
    );
  });
  return lines.join('') + axisLabel(label, layout, bottom + 38 + lower);
}

/** Writes the number of a row after its mark, or before it where the figure ends. */
export function besideMark(layout: RowLayout, span: readonly [number, number], y: number, text: string): string {
  const wide = textWidth(text, 12) + 8;
  const [low, high] = [Math.min(...span), Math.max(...span)];
  const onRight = high + wide < layout.width;
  return onRight
    ? textAt(high + 6, y + 4, text, { 'font-size': 12 })
    : textAt(Math.max(wide, low - 6), y + 4, text, { 'font-size': 12, 'text-anchor': 'end' });
}
