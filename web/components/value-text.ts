import type { Formats } from '../texts/formats.js';

/** Digits after the point of a value of a feature, at most. */
const valueDigits = 6;

interface WithUnit {
  readonly unitLabel: string;
}

interface CodedValue extends WithUnit {
  readonly codes?: readonly { readonly value: number; readonly label: string }[] | null;
}

/** Returns a space and the label of a unit; nothing for a value without one. */
export const unitOf = ({ unitLabel }: WithUnit): string => unitLabel && `\u00a0${unitLabel}`;

/** Writes a value of a feature with its unit, or the label of its code. */
export function valueText(feature: CodedValue, value: number, { number }: Pick<Formats, 'number'>): string {
  const code = feature.codes?.find((known) => known.value === value);
  return code ? code.label : `${number(value, valueDigits)}${unitOf(feature)}`;
}

/** Writes a value in the output of a model: a percentage, or a quantity with its unit. */
export function outputText(
  { quantity }: { readonly quantity?: WithUnit | null },
  value: number,
  { number, percent }: Pick<Formats, 'number' | 'percent'>,
): string {
  return quantity ? `${number(value)}${unitOf(quantity)}` : percent(value);
}

/** Writes a result. Its model may be gone, and then the result's own unit stands for that of the model. */
export function answerText(
  result: { readonly probability?: number | null; readonly value: number; readonly unit: string },
  model: { readonly quantity?: WithUnit | null } | null | undefined,
  formats: Pick<Formats, 'number' | 'percent'>,
): string {
  if (result.probability != null) return formats.percent(result.probability);
  return outputText({ quantity: model?.quantity ?? { unitLabel: result.unit } }, result.value, formats);
}
