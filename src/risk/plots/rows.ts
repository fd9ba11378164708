import type { Scale } from './scale.js';
import { axisLabel, boldSize, colours, element, textAt, textWidth, ticks, wrapText } from './svg.js';

/** A figure with one row per feature: names on the left, or above the marks where the figure is narrow. */
interface RowLayout {
  readonly width: number;
  /** Pixels between which the marks are. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly height: number;
  /** The least height of the place of a row's marks. */
  readonly band: number;
  /** The vertical middle of a row's marks. */
  middle(index: number): number;
  /** Writes the name of a row and its detail. */
  names(index: number): string;
}

/** The name of a row, and a detail below it. */
interface RowName {
  readonly label: string;
  readonly detail?: string;
}

interface RowSizes {
  readonly width: number;
  readonly names: readonly RowName[];
  /** The least height of a row. A long name on several lines makes its row higher. */
  readonly band: number;
  /** Room for the heading. */
  readonly top: number;
  /** Room below the rows, for the axis and a legend. */
  readonly below: number;
  /** Room on the right, for numbers. */
  readonly right: number;
}

type Attributes = Readonly<Record<string, string | number>>;

interface NameLine {
  readonly text: string;
  readonly attributes: Attributes;
}

/** Height of a line of a name. */
const nameLine = 15;

/** Lays rows out for a width. */
export function rowLayout({ width, names, band, top, below, right }: RowSizes): RowLayout {
  const narrow = width < 600;
  const left = narrow ? 24 : Math.min(320, Math.max(190, Math.round(width * 0.3)));
  let bottom = top;
  const rows = names.map((name) => {
    const lines = linesOf(name, narrow ? width - 32 : left - 36, narrow);
    const y = bottom;
    const above = narrow ? 5 + nameLine * lines.length : 0;
    const height = narrow ? band : Math.max(band, nameLine * lines.length + 4);
    bottom += above + height;
    return { y, lines, middle: y + above + height / 2, hasDetail: Boolean(name.detail) };
  });
  return {
    width,
    left,
    right: width - right,
    top,
    bottom,
    height: bottom + below,
    band,
    middle: (index) => rows[index]!.middle,
    names: (index) => {
      const { y, lines, middle, hasDetail } = rows[index]!;
      const first = narrow ? y + nameLine : middle + (hasDetail ? 4.5 : 4) - ((lines.length - 1) / 2) * nameLine;
      const x = narrow ? 16 : left - 16;
      const anchor: Attributes = narrow ? {} : { 'text-anchor': 'end' };
      return lines
        .map(({ text, attributes }, line) => textAt(x, first + line * nameLine, text, { ...anchor, ...attributes }))
        .join('');
    },
  };
}

/** Breaks a name and its detail into lines, so that both can be read in full. */
function linesOf({ label, detail = '' }: RowName, room: number, isBold: boolean): NameLine[] {
  const ofLabel: Attributes = isBold ? { 'font-weight': 600 } : {};
  const ofDetail: Attributes = { fill: colours.muted, 'font-size': 12 };
  return [
    ...wrapText(label, room, isBold ? boldSize(13) : 13, 3).map((text) => ({ text, attributes: ofLabel })),
    ...wrapText(detail, room, 12, 3).map((text) => ({ text, attributes: ofDetail })),
  ];
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
    const half = textWidth(text(tick), 12) / 2 + 2;
    const middle = Math.max(half, Math.min(layout.width - half, x));
    return (
      element('line', { x1: x, x2: x, y1: top, y2: bottom, stroke }) +
      textAt(middle, bottom + 18 + lower, text(tick), { 'text-anchor': 'middle', fill: colours.muted, 'font-size': 12 })
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
