import { DisagreementError, InvalidModelError } from '../errors.js';
import type { RiskModel } from '../risk-model.js';

const tolerance = 1e-6;

/** For sums of trees: libraries add up in float32, and 500 trees of XGBoost lose 1e-6. */
const sumTolerance = 1e-5;

/** A bundle needs this many: one alone may agree by chance, e.g. in a leaf that every reading reaches. */
const fewest = 3;

/** The golden vectors that were reproduced. */
interface GoldenVectors {
  readonly count: number;
  /** Vectors whose outputs come from ONNX Runtime: they prove nothing about the exporter. */
  readonly notFromLibrary: number;
}

/**
 * Scores and explains the manifest's golden vectors, and compares the results with the manifest: the library's own
 * output for the same inputs. Only this comparison finds an exporter that writes another model than the library's.
 * @throws DisagreementError naming the vector, what differs and both values
 * @throws InvalidFeaturesError when a vector cannot be encoded
 * @throws InvalidModelError when there are fewer than three
 */
export async function requireGoldenVectors(model: RiskModel): Promise<GoldenVectors> {
  const { manifest } = model;
  const { golden, features } = manifest;
  const rows = golden.map((vector) => model.encode(vector.features));
  const scores = await model.score(rows);
  const explained =
    golden.some((vector) => vector.contributions) && model.shapMethods.includes('PATH_DEPENDENT')
      ? await model.explain(rows, 'PATH_DEPENDENT')
      : undefined;
  golden.forEach((vector, index) => {
    const compare = (what: string, actual: number, expected: number, most = tolerance): void => {
      const difference = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
      if (difference <= most) return;
      throw new DisagreementError(
        `golden vector ${index + 1}: its ${what} differs: the library gave ${shown(expected)} and the bundle gives ` +
          `${shown(actual)}; the exporter and the library disagree, or the manifest encodes the inputs in another way ` +
          'than the training did: see "Exporters that write another model" in docs/models.md',
      );
    };
    if (vector.rawOutput !== undefined) compare('raw output', scores[index]!.rawOutput, vector.rawOutput, sumTolerance);
    if (vector.probability !== undefined) compare('probability', scores[index]!.probability!, vector.probability);
    manifest.classes?.forEach((name, place) => {
      const expected = vector.classes?.[name];
      if (expected !== undefined)
        compare(`probability of class "${name}"`, scores[index]!.classes!.probabilities[place]!, expected);
    });
    if (vector.value !== undefined) compare('value', scores[index]!.quantity!, vector.value, sumTolerance);
    features.forEach((feature, column) => {
      const expected = vector.contributions?.[feature.code];
      if (explained && expected !== undefined)
        compare(`SHAP value of "${feature.code}"`, explained[index]!.contributions[column]!, expected);
    });
  });
  if (golden.length < fewest)
    throw new InvalidModelError(
      'manifest.json',
      `it has ${golden.length} golden vectors, and ${fewest} are needed`,
      'add inputs with the library\'s own output (predict_proba, predict) under "golden"',
    );
  return {
    count: golden.length,
    notFromLibrary: golden.filter(({ source }) => source === 'ONNX_RUNTIME').length,
  };
}

const shown = (value: number): string => String(Number(value.toPrecision(9)));
