import { requireAgreement } from '../../../src/risk/check/model-checks.js';
import { missingAndExtremeRows, randomRows } from '../../../src/risk/check/probe-rows.js';
import { thresholdRows } from '../../../src/risk/check/threshold-rows.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { type ParsedModel, parseModel } from '../../../src/risk/parse-model.js';

/** Parses a model and compares it with ONNX Runtime on random, threshold and extreme rows. @throws when they differ */
export async function againstRuntime(bytes: Uint8Array, options?: { featureCount?: number }): Promise<ParsedModel> {
  const parsed = parseModel(bytes, options);
  const session = await startModelSession(bytes, parsed);
  try {
    await requireAgreement(parsed, session, randomRows(parsed, 100));
    for (const rows of thresholdRows(parsed, Infinity)) await requireAgreement(parsed, session, rows);
    await requireAgreement(parsed, session, missingAndExtremeRows(parsed, 100));
  } finally {
    await session.close();
  }
  return parsed;
}
