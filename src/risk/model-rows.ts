import { parseJson, parseRows, readText } from './bundle/bundle-files.js';
import { InvalidModelError } from './errors.js';
import type { Background } from './explainers.js';
import { featureTypes } from './graph/model-inputs.js';
import { textNumbers } from './model-value.js';
import type { ParsedModel } from './parse-model.js';

/**
 * Reads rows of the model's own inputs from a JSON file.
 * @throws InvalidModelError when they do not fit the model
 */
export async function readModelRows(name: string, path: string, model: ParsedModel): Promise<Background> {
  const rows = await readRows(name, path, model);
  requireModelRows(name, rows, model);
  return rows;
}

/** Reads rows. A text becomes its index among the texts that the model knows, or the index behind them. */
export async function readRows(name: string, path: string, model: ParsedModel): Promise<Background> {
  return parseRows(name, parseJson(name, await readText(path)), { numberOfText: textNumbers(model) });
}

/** @throws InvalidModelError when rows have another width or type than the model's inputs */
export function requireModelRows(name: string, { rows, rowCount }: Background, model: ParsedModel): void {
  const width = rows.length / rowCount;
  if (width !== model.featureCount)
    throw new InvalidModelError(
      name,
      `its rows have ${width} numbers and the model takes ${model.featureCount}`,
      'give every row one number per feature, null where missing',
    );
  const types = featureTypes(model.inputs);
  const wrong = rows.findIndex((value, place) => {
    const { whole, least, most } = types[place % width]!;
    return whole && !(Number.isInteger(value) && value >= least && value <= most);
  });
  if (wrong >= 0) {
    const type = types[wrong % width]!;
    throw new InvalidModelError(
      name,
      `row ${Math.floor(wrong / width) + 1}, column ${(wrong % width) + 1} is not a whole number from ${type.least} to ` +
        `${type.most}, and the model's input is of ${type.name}`,
      'give such a number',
    );
  }
}
