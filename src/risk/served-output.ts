import { calibrate, riskBandOf } from './calibration.js';
import type { RiskModelManifest } from './manifest.js';
import { columnOfOutput } from './output-columns.js';
import type { ParsedModel } from './parse-model.js';
import type { Score } from './risk-model.js';
import { logistic, scoreOfOutput } from './scores.js';

/** Makes the score of one row from its raw outputs, one per output of the trees. */
type ScoreOfRow = (raw: ArrayLike<number>) => Score;

/** Returns the function from raw outputs to the answer that the manifest describes: a probability or a quantity. */
export function createScoreOfRow(manifest: RiskModelManifest, parsed: ParsedModel): ScoreOfRow {
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
