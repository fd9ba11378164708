import type { Pen } from './options.js';
import { linear, type Scale } from './scale.js';
import {
  axisLabel,
  colours,
  element,
  figure,
  fitText,
  heading,
  headingBottom,
  textAt,
  textWidth,
  ticks,
} from './svg.js';

/** One axis: its range, its label with the unit, and its numbers. */
interface Axis {
  readonly range: readonly [number, number];
  readonly label: string;
  readonly text: (value: number) => string;
  /** The values that get a number. Absent: round values. */
  readonly ticks?: readonly { readonly value: number; readonly text: string }[];
}

interface FrameInput {
  readonly title: string;
  readonly subtitle: string;
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Room below the label of the horizontal axis, for a legend. */
  readonly below?: number;
  /** Room on the right, for names of lines. */
  readonly right?: number;
  /** Height of the plot's inside. Absent: it follows the width. */
  readonly inside?: number;
  /** `none` for a figure that lies over a canvas. @defaultValue white */
  readonly background?: string;
}

/** The place of everything in a figure with two axes, in CSS pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly y: Scale;
}

/** Computes the geometry of a figure with two axes, apart from drawing it. */
export function frameOf(pen: Pen, { title, subtitle, x, y, below = 0, right = 24, inside }: FrameInput): Frame {
  const { width } = pen;
  const values = (y.ticks?.map(({ text }) => text) ?? [y.text(y.range[0]), y.text(y.range[1])]).map(
    (text) => textWidth(text, 12) + 16,
  );
  const left = Math.max(44, Math.min(width * 0.3, Math.max(...values)));
  const top = headingBottom(title, subtitle, width) + 34;
  const bottom = top + (inside ?? Math.min(520, Math.max(200, Math.round(width * 0.42))));
  return {
    width,
    height: bottom + 54 + below,
    left,
    right: width - right,
    top,
    bottom,
    x: linear(x.range, [left, width - right]),
    y: linear(y.range, [bottom, top]),
  };
}

/** Draws a figure with two axes around its content. */
export function drawFrame(
  frame: Frame,
  { title, subtitle, description, x, y, background }: FrameInput,
  content: string,
): string {
  const { left, right, top, bottom, width, height } = frame;
  const across = x.ticks ?? roundTicks(frame.x, x, (right - left) / (textWidth(x.text(x.range[1]), 12) + 36));
  const up = y.ticks ?? roundTicks(frame.y, y, (bottom - top) / 44);
  const muted = { fill: colours.muted, 'font-size': 12 };
  const lines = [
    ...up.map(
      ({ value, text }) =>
        element('line', { x1: left, x2: right, y1: frame.y(value), y2: frame.y(value), stroke: colours.grid }) +
        textAt(left - 8, frame.y(value) + 4, fitText(text, left - 10, 12), { ...muted, 'text-anchor': 'end' }),
    ),
    ...across.map(({ value, text }) => {
      const half = textWidth(text, 12) / 2;
      const middle = Math.min(width - half - 4, frame.x(value));
      return (
        element('line', { x1: frame.x(value), x2: frame.x(value), y1: bottom, y2: bottom + 5, stroke: colours.muted }) +
        textAt(middle, bottom + 19, text, { ...muted, 'text-anchor': 'middle' })
      );
    }),
    element('line', { x1: left, x2: right, y1: bottom, y2: bottom, stroke: colours.muted }),
  ];
  return figure(
    width,
    height,
    title,
    description,
    heading(title, subtitle, width) +
      lines.join('') +
      textAt(12, top - 12, fitText(y.label, width - 24, 12), muted) +
      content +
      axisLabel(x.label, frame, bottom + 40),
    background,
  );
}

function roundTicks(scale: Scale, axis: Axis, count: number): { value: number; text: string }[] {
  const values = ticks(scale.low, scale.high, Math.max(2, Math.min(12, Math.floor(count))));
  return values.map((value) => ({ value, text: axis.text(value) }));
}

/** Makes a tick for each code of a feature, with its name cut to its share of the figure's width. */
export function codeTicks(names: readonly string[], width: number): { value: number; text: string }[] {
  const room = (width - 90) / names.length - 6;
  return names.map((name, value) => ({ value, text: fitText(name, room, 12) }));
}

/** Writes a path through points; a point without a number ends one line and begins the next. */
export function pathThrough(points: readonly (readonly [number, number])[]): string {
  let pen = 'M';
  return points
    .map(([x, y]) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${x.toFixed(1)},${y.toFixed(1)}`;
      pen = 'L';
      return step;
    })
    .join('');
}
