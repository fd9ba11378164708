import { seededRandom } from '../check/random.js';
import type { NumberType } from '../onnx/number-types.js';
import type { Cell } from './column-profile.js';
import { allowedValue, type DraftFeature } from './draft-features.js';

/** Golden vectors of a draft. Three are the fewest that a bundle may have. */
const goldenRows = 5;

const seed = 20_261_130;

/** Shuffles each column on its own and takes the first rows, so that no row is a patient. */
export function shuffledRows(sample: readonly (readonly Cell[])[], count: number, start = seed): Cell[][] {
  const random = seededRandom(start);
  const columns = (sample[0] ?? []).map((_, feature) => {
    const column = sample.map((row) => row[feature]!);
    for (let place = column.length - 1; place > 0; place--) {
      const other = Math.floor(random() * (place + 1));
      [column[place], column[other]] = [column[other]!, column[place]!];
    }
    return column;
  });
  return Array.from({ length: Math.min(count, sample.length) }, (_, row) => columns.map((column) => column[row]!));
}

/** Makes the inputs of golden vectors: shuffled rows of the table, else values that the features allow. */
export function goldenInputs(
  features: readonly DraftFeature[],
  types: readonly NumberType[],
  sample: readonly (readonly Cell[])[] = [],
): Cell[][] {
  const random = seededRandom(seed + 1);
  const rows = shuffledRows(sample, goldenRows, seed + 2);
  while (rows.length < goldenRows)
    rows.push(features.map((feature, index) => allowedValue(feature, random(), types[index]!.whole)));
  return rows;
}
