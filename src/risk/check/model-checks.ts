import { additivityError, describeAdditivityError } from '../additivity.js';
import { Agreement } from '../agreement.js';
import { DisagreementError } from '../errors.js';
import type { OnnxSession } from '../onnx-session.js';
import { type ParsedModel, prepareRows } from '../parse-model.js';
import type { TreeExplainer } from '../shap/index.js';
import { SliceSizer } from '../slices.js';
import { rawOutputs } from '../trees/route.js';
import type { ProbeRows } from './probe-rows.js';

interface AgreementOptions {
  readonly sizer?: SliceSizer;
  /** Names the node of the file at which the two readings of a row part; see `locateDifference`. */
  readonly locate?: (row: Float64Array) => Promise<string | undefined>;
}

/**
 * Compares ONNX Runtime with the parsed trees on every row.
 * @returns the largest difference, as a share of the tolerance
 * @throws DisagreementError saying how many rows differ, and from which node on
 */
export async function requireAgreement(
  model: ParsedModel,
  session: OnnxSession,
  { rows, rowCount }: ProbeRows,
  { sizer = new SliceSizer(), locate }: AgreementOptions = {},
): Promise<number> {
  const agreement = new Agreement(model);
  const { outputCount } = model.ensemble;
  const width = model.featureCount;
  let different = 0;
  let firstDifferent: Float64Array | undefined;
  await sizer.each(rowCount, undefined, async (start, end) => {
    const slice = rows.subarray(start * width, end * width);
    const scores = await session.run(slice, end - start);
    const raw = rawOutputs(model.ensemble, prepareRows(model, slice, end - start), end - start);
    const columns = scores.length / (end - start);
    for (let row = 0; row < end - start; row++) {
      if (
        !agreement.agrees(
          raw.subarray(row * outputCount, (row + 1) * outputCount),
          scores.subarray(row * columns, (row + 1) * columns),
        )
      ) {
        different++;
        firstDifferent ??= slice.slice(row * width, (row + 1) * width);
      }
    }
  });
  if (firstDifferent) {
    const node = await locate?.(firstDifferent);
    throw new DisagreementError(
      `ONNX Runtime and the parsed trees differ on ${different} of ${rowCount} rows` +
        `${node === undefined ? '' : `, first at the node ${node}`}; RiskGraph reads the file differently; ` +
        'please report this with the file',
    );
  }
  return agreement.worst;
}

/**
 * Checks that expected value and SHAP values add up to the raw output on every row and output.
 * @returns the largest difference, divided by max(1, |output|)
 * @throws DisagreementError
 */
export async function requireAdditivity(
  model: ParsedModel,
  explainer: TreeExplainer,
  { rows, rowCount }: ProbeRows,
  outputs: readonly number[],
  sizer = new SliceSizer(),
): Promise<number> {
  const width = model.featureCount;
  let worst = 0;
  await sizer.each(rowCount, undefined, (start, end) => {
    const slice = rows.subarray(start * width, end * width);
    const values = explainer.explain(slice, end - start);
    const raw = rawOutputs(model.ensemble, prepareRows(model, slice, end - start), end - start);
    for (let row = 0; row < end - start; row++) {
      outputs.forEach((output, index) => {
        const place = (row * outputs.length + index) * width;
        const contributions = values.subarray(place, place + width);
        const expected = raw[row * model.ensemble.outputCount + output]!;
        worst = Math.max(
          worst,
          additivityError({ baseValue: explainer.expectedValue[index]!, contributions }, expected),
        );
      });
    }
  });
  const issue = describeAdditivityError(worst);
  if (issue) throw new DisagreementError(`${issue}; please report this with the file`);
  return worst;
}
