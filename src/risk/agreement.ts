import { DisagreementError } from './errors.js';
import { numberTypes } from './onnx/number-types.js';
import { ElementType } from './onnx/tensor-proto.js';
import type { ParsedModel } from './parse-model.js';
import { scoresFromRaw } from './scores.js';

/** ONNX Runtime adds leaf weights in float32 (24 bits). The parsed trees add them in float64. */
const relativeTolerance = 1e-5;

/**
 * PROBIT subtracts nearly equal float32 numbers under a square root. Around probability 0.5 it loses half of the
 * digits.
 */
const probitTolerance = 5e-3;

/** Beyond it ONNX Runtime gives infinity. */
const largestFloat = numberTypes.get(ElementType.FLOAT)!.most;

/** Sum over the trees of the largest |leaf weight|: the bound of the partial sums of a float32 addition. */
function weightMagnitude(model: ParsedModel): number {
  const { roots, leafStart, leafWeight, mode } = model.ensemble;
  let sum = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    const end = roots[tree + 1] ?? mode.length;
    const largest = leafWeight
      .subarray(leafStart[roots[tree]!]!, leafStart[end]!)
      .reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    sum += largest;
  }
  return sum;
}

/** Compares scores of ONNX Runtime with those of the parsed trees. Make one per model. */
export class Agreement {
  private readonly absolute: number;
  /** Largest difference seen, in units of what is tolerated; 1 is the limit. */
  worst = 0;

  constructor(private readonly model: ParsedModel) {
    this.absolute = 3e-7 * weightMagnitude(model);
  }

  /**
   * Tells whether the scores of one row agree.
   * @param raw raw outputs of the parsed trees, one per output
   * @param scores scores of ONNX Runtime, one per column
   */
  agrees(raw: ArrayLike<number>, scores: ArrayLike<number>): boolean {
    const expected = scoresFromRaw(this.model, raw);
    if (expected.length !== scores.length) return false;
    return expected.every((value, column) => {
      const score = scores[column]!;
      const { link, scale } = this.model.columns[column]!;
      const probit = link === 'PROBIT';
      const tolerance = probit ? probitTolerance : relativeTolerance;
      if (Number.isNaN(value) || value === score) return true;
      if (probit && (!Number.isFinite(value) || Number.isNaN(score))) return true;
      if (Math.abs(value) > largestFloat && Math.abs(score) >= largestFloat) return true;
      // An error of the sum multiplies e to the power of it.
      const absolute = this.absolute * (link === 'EXP' ? Math.max(1, Math.abs(value)) : Math.max(1, Math.abs(scale)));
      const share = Math.abs(value - score) / (tolerance * Math.max(1, Math.abs(value)) + absolute);
      this.worst = Math.max(this.worst, share);
      return share <= 1;
    });
  }

  /** @throws DisagreementError when they do not agree. The message names no value: rows may be patients. */
  require(raw: ArrayLike<number>, scores: ArrayLike<number>): void {
    if (!this.agrees(raw, scores))
      throw new DisagreementError(
        'ONNX Runtime and the parsed trees disagree on a row: the model must not be served; run "riskgraph model ' +
          'check" on it',
      );
  }
}
