import type { ParsedModel } from '../parse-model.js';
import { roundTo } from './float-step.js';
import { clamped, extremes, type InputFeature, inputFeatures } from './input-values.js';
import { seededRandom } from './random.js';

/** Rows for the comparison of ONNX Runtime with the parsed trees: row-major, as the model's inputs. */
export interface ProbeRows {
  readonly rows: Float64Array;
  readonly rowCount: number;
}

const seed = 20_240_531;

/** Makes rows of random values, over and beyond the range that the trees can distinguish. */
export function randomRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed);
  const features = inputFeatures(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++)
    rows[place] = randomValue(features[place % model.featureCount]!, random);
  return { rows, rowCount };
}

/** Makes rows with missing values (if the input can hold NaN), all-missing rows, and rows at the ends of the type. */
export function missingAndExtremeRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed + 1);
  const features = inputFeatures(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++) {
    const feature = features[place % model.featureCount]!;
    const row = Math.floor(place / model.featureCount);
    const ends = extremes(feature);
    const kind = random();
    if (row === 0 || kind < 0.3) rows[place] = feature.integer ? clamped(feature, 0) : Number.NaN;
    else rows[place] = kind < 0.6 ? ends[Math.floor(random() * ends.length)]! : randomValue(feature, random);
  }
  return { rows, rowCount };
}

/** A random value, over and beyond the range that the trees can distinguish. */
export function randomValue(feature: InputFeature, random: () => number): number {
  const spread = feature.high - feature.low || 1;
  const value = feature.low - 0.1 * spread + random() * 1.2 * spread;
  return feature.whole ? Math.round(clamped(feature, value)) : roundTo(feature.precision, value);
}
