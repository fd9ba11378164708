import { featureTypes } from './graph/model-inputs.js';
import type { RiskModelManifest } from './manifest.js';
import type { ParsedModel } from './parse-model.js';

/**
 * Returns the function from a feature's value to the model's: a number rounded to the type of the input, or for a code
 * of text its index among the texts of the model.
 */
export function modelValue(
  { features }: RiskModelManifest,
  { inputs, limits }: ParsedModel,
): (value: number, feature: number) => number {
  const types = featureTypes(inputs);
  const { texts } = limits;
  const known = new Map(texts.map((text, index) => [text, index]));
  const textIndex = features.map(
    ({ codes }, feature) =>
      types[feature]?.name === 'string' &&
      new Map(codes?.map(({ value, text }) => [value, known.get(text ?? '') ?? texts.length])),
  );
  return (value, feature) => {
    const byCode = textIndex[feature];
    return byCode ? (byCode.get(value) ?? texts.length) : types[feature]!.round(value);
  };
}

/**
 * Returns the function from a text in a column of rows to its index among the texts of the model, or the index behind
 * them. It gives undefined for a column of numbers.
 */
export function textNumbers({ inputs, limits }: ParsedModel): (text: string, column: number) => number | undefined {
  const types = featureTypes(inputs);
  const { texts } = limits;
  const known = new Map(texts.map((text, index) => [text, index]));
  return (text, column) => (types[column]?.name === 'string' ? (known.get(text) ?? texts.length) : undefined);
}
