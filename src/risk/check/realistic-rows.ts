import type { Background } from '../explainers.js';
import type { ParsedModel } from '../parse-model.js';
import { randomRows } from './probe-rows.js';
import { seededRandom } from './random.js';

const seed = 20_240_534;

/**
 * Takes rows of a background set at random, as often as needed. A background of the wanted size is made of a smaller
 * or larger one in this way.
 */
export function resampled(model: ParsedModel, { rows, rowCount }: Background, count: number): Background {
  const random = seededRandom(seed);
  const width = model.featureCount;
  const taken = new Float64Array(count * width);
  for (let row = 0; row < count; row++) {
    const from = Math.floor(random() * rowCount) * width;
    taken.set(rows.subarray(from, from + width), row * width);
  }
  return { rows: taken, rowCount: count };
}

/**
 * Makes rows as a model meets them. Every other row is a background row. The rows between mix the values of several, so
 * that they reach leaves that the background does not. Without a background the rows are random.
 */
export function realisticRows(model: ParsedModel, background: Background | null, count: number): Background {
  if (!background || background.rowCount === 0) return randomRows(model, count);
  const { rows, rowCount } = resampled(model, background, count);
  const random = seededRandom(seed + 1);
  const width = model.featureCount;
  for (let row = 1; row < rowCount; row += 2)
    for (let column = 0; column < width; column++)
      rows[row * width + column] = background.rows[Math.floor(random() * background.rowCount) * width + column]!;
  return { rows, rowCount };
}
