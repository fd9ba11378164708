import type { ParsedModel } from '../parse-model.js';
import { Chooser } from './chooser.js';
import { extremes } from './input-values.js';
import { seededRandom } from './random.js';

/** Rows for the comparison of ONNX Runtime with the parsed trees: row-major, as the model's inputs. */
export interface ProbeRows {
  readonly rows: Float64Array;
  readonly rowCount: number;
}

/** Probe rows, and the number of branches that they and all rows before them have tested. */
export interface ThresholdRows extends ProbeRows {
  readonly tested: number;
}

const seed = 20_240_531;

/** Makes rows of random values, over and beyond the range that the trees can distinguish. */
export function randomRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed);
  const chooser = new Chooser(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++) rows[place] = chooser.random(place % model.featureCount, random);
  return { rows, rowCount };
}

/** Makes rows with missing values (if the input can hold NaN), all-missing rows, and rows at the ends of the type. */
export function missingAndExtremeRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed + 1);
  const chooser = new Chooser(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++) {
    const index = place % model.featureCount;
    const feature = chooser.features[index]!;
    const row = Math.floor(place / model.featureCount);
    const ends = extremes(feature);
    const kind = random();
    if (row === 0 || kind < 0.3) rows[place] = feature.present ? ends[0]! : Number.NaN;
    else rows[place] = kind < 0.6 ? ends[Math.floor(random() * ends.length)]! : chooser.random(index, random);
  }
  return { rows, rowCount };
}
