import { calibrate, riskBandOf } from './calibration.js';
import type { RiskModelManifest } from './manifest.js';
import { columnOfOutput } from './output-columns.js';
import type { ParsedModel } from './parse-model.js';
import type { Score } from './risk-model.js';
import { logistic, scoreOfOutput, scoresFromRaw, softmax } from './scores.js';

/** Makes the score of one row from its raw outputs, one per output of the trees. */
type ScoreOfRow = (raw: ArrayLike<number>) => Score;

/** Returns the function from raw outputs to the answer that the manifest describes. */
export function createScoreOfRow(manifest: RiskModelManifest, parsed: ParsedModel): ScoreOfRow {
  if (manifest.classes) return classesOfRow(manifest, parsed, manifest.classes);
  return manifest.quantity ? quantityOfRow(manifest, parsed) : probabilityOfRow(manifest, parsed);
}

function probabilityOfRow(manifest: RiskModelManifest, parsed: ParsedModel): ScoreOfRow {
  const { calibration, outputIndex, riskBands } = manifest;
  // No operator of the model turns these log-odds into a probability. LOG_ODDS means that the sigmoid does.
  const isMargin =
    manifest.outputSpace === 'LOG_ODDS' && columnOfOutput(parsed.columns, outputIndex)!.link === 'IDENTITY';
  return (raw) => {
    const rawOutput = raw[outputIndex]!;
    const own = isMargin ? logistic(rawOutput) : scoreOfOutput(parsed, raw, outputIndex);
    const probability = calibrate(calibration, rawOutput, own);
    return { rawOutput, probability, riskBand: riskBandOf(riskBands, probability) };
  };
}

function classesOfRow(manifest: RiskModelManifest, parsed: ParsedModel, classes: readonly string[]): ScoreOfRow {
  const { outputIndex, riskBands } = manifest;
  const ofOutputs = classes.map((_, output) => columnOfOutput(parsed.columns, output)!);
  const isMargin = manifest.outputSpace === 'LOG_ODDS' && ofOutputs[outputIndex]!.link === 'IDENTITY';
  const places = ofOutputs.map((column) => parsed.columns.indexOf(column));
  return (raw) => {
    const rawOutputs = Array.from(raw).slice(0, classes.length);
    const own = isMargin ? softmax(rawOutputs) : scoresFromRaw(parsed, raw);
    // Sums of float32 shares may leave 0 to 1 by their last bit.
    const share = (place: number): number => Math.min(1, Math.max(0, own[place]!));
    const probabilities = isMargin ? own : places.map(share);
    const probability = probabilities[outputIndex]!;
    return {
      rawOutput: rawOutputs[outputIndex]!,
      probability,
      riskBand: riskBandOf(riskBands, probability),
      classes: { rawOutputs, probabilities },
    };
  };
}

function quantityOfRow({ outputIndex, outputSpace, riskBands }: RiskModelManifest, parsed: ParsedModel): ScoreOfRow {
  const inverseLink = outputSpace === 'LOG' ? Math.exp : outputSpace === 'LOG_ODDS' ? logistic : identity;
  // A file that ends with the link gives the quantity itself.
  const hasLink = columnOfOutput(parsed.columns, outputIndex)!.link !== 'IDENTITY';
  return (raw) => {
    const rawOutput = raw[outputIndex]!;
    const quantity = hasLink ? scoreOfOutput(parsed, raw, outputIndex) : inverseLink(rawOutput);
    return { rawOutput, quantity, riskBand: riskBandOf(riskBands, quantity) };
  };
}

const identity = (value: number): number => value;
