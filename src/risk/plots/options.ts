import { formatNumber } from '../feature-value.js';
import { plain } from './svg.js';
import { englishWords, type PlotWords } from './words.js';

/** Writes a number for a reader with so many decimals. */
type NumberText = (value: number, places: number) => string;

/** Options of every plot. */
export interface PlotOptions {
  /**
   * Width in CSS pixels, at least 240. A page gives the width of its place, so that text keeps its size.
   * @defaultValue 860
   */
  readonly width?: number;
  /**
   * Numbers in the reader's language.
   * @defaultValue a point before the decimals
   */
  readonly number?: NumberText;
  /**
   * A share of 1 as a percentage in the reader's language.
   * @defaultValue the number, a blank and the sign
   */
  readonly percent?: NumberText;
  /**
   * A quantity in the reader's language, with the digits that it has.
   * @defaultValue at most 6 significant digits
   */
  readonly value?: (value: number) => string;
  /** @defaultValue English */
  readonly words?: PlotWords;
}

/** Options with their defaults, and the number forms that follow from them. */
export interface Pen {
  readonly width: number;
  readonly words: PlotWords;
  readonly number: NumberText;
  /** A number with its sign, which is readable without colour: `+0.08`, `−0.08`, `±0.00`. */
  readonly signed: NumberText;
  /** As `signed`, and plain at 0: for the numbers of an axis. */
  readonly tick: NumberText;
  /** As `signed`, with a triangle that points up or down. */
  readonly arrowed: NumberText;
  /** A share of 1 as a percentage, e.g. `31.9 %`. */
  readonly percent: NumberText;
  /** A quantity with the digits that it has. */
  readonly value: (value: number) => string;
}

/** Completes the options of a plot. */
export function penOf(options: PlotOptions): Pen {
  const { width = 860, number = plain, value: quantity = formatNumber, words = englishWords } = options;
  const { percent = (share: number, places: number) => `${number(share * 100, places)} %` } = options;
  const signed = (value: number, places: number): string => {
    const isZero = Number(Math.abs(value).toFixed(places)) === 0;
    return `${isZero ? '±' : value > 0 ? '+' : '−'}${number(Math.abs(value), places)}`;
  };
  return {
    width: Math.max(240, width),
    words,
    number: (value, places) => number(value === 0 ? 0 : value, places),
    signed,
    tick: (value, places) => (value === 0 ? number(0, 0) : signed(value, places)),
    arrowed: (value, places) => {
      const written = signed(value, places);
      return written.startsWith('±') ? written : `${value > 0 ? '▲' : '▼'} ${written}`;
    },
    percent: (share, places) => percent(share === 0 ? 0 : share, places),
    value: quantity,
  };
}

/** The data of a plot as a table, for readers who cannot see it. Numbers are written as in the plot. */
export interface PlotTable {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
