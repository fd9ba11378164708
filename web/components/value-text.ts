import type { Texts } from '../texts/catalogue.js';
import type { Formats } from '../texts/formats.js';

/** Digits after the point of a value of a feature, at most. */
export const valueDigits = 6;

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

/** A feature of a model as its values are written. */
export interface ValuedFeature extends CodedValue {
  readonly code: string;
  readonly missing: { readonly policy: string; readonly value?: number | null };
}

/**
 * Writes the value that an explanation is about, in the viewer's language.
 * @param shown the number, absent when missing, and the server's text: it alone tells that an age is one of a pool
 */
export function explainedValue(
  feature: ValuedFeature,
  { inputValue, displayValue }: { readonly inputValue?: number | null; readonly displayValue: string },
  words: Texts['parts'],
  formats: Pick<Formats, 'number'>,
): string {
  if (inputValue != null) {
    const text = valueText(feature, inputValue, formats);
    return displayValue.endsWith(' or more') ? words.orMore(text) : text;
  }
  const { policy, value: taken } = feature.missing;
  if (policy === 'IMPUTE' && taken != null) return words.missingTakenAs(valueText(feature, taken, formats));
  return policy === 'REQUIRED' ? words.missingRequired : words.missing;
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
