import type { ConsoleModelQuery } from '../../generated/graphql.js';
import type { Formats } from '../../texts/formats.js';

export type Model = NonNullable<ConsoleModelQuery['riskModel']>;
export type Feature = Model['features'][number];

/** Digits after the point of a value of a feature, at most. */
const valueDigits = 4;

/** A value of a feature with its unit, or the label of its code. */
export function valueText({ codes, unitLabel }: Feature, value: number, { number }: Pick<Formats, 'number'>): string {
  const code = codes?.find((known) => known.value === value);
  return code ? code.label : `${number(value, valueDigits)}${unitLabel && `\u00a0${unitLabel}`}`;
}

/** The name of a feature with its unit. */
export const labelWithUnit = ({ label, unitLabel }: Feature): string => (unitLabel ? `${label} (${unitLabel})` : label);

/** An answer of the model: a percentage, or a quantity with its unit. */
export function answerText(
  { quantity }: Pick<Model, 'quantity'>,
  value: number,
  { number, percent }: Pick<Formats, 'number' | 'percent'>,
): string {
  return quantity ? `${number(value)} ${quantity.unitLabel}`.trim() : percent(value);
}

/** The model as the functions of plots take it. */
export const described = ({ name, version, outcome, outputSpace, quantity }: Model) => ({
  name,
  version,
  outcome,
  outputSpace,
  quantity: quantity ?? undefined,
});
