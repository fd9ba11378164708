import { basename, resolve } from 'node:path';
import { light } from './check/check-trees.js';
import { examineBundle } from './check/check-model.js';
import { requirePassed } from './check/report.js';
import type { RiskModel } from './risk-model.js';

/**
 * Loads a bundle directory: manifest.json, model.onnx, MODEL_CARD.md and, if present, background.json. It runs the same
 * checks as `riskgraph model check`, on fewer rows. The model holds an ONNX Runtime session, so the caller must close
 * it.
 * @throws InvalidModelError naming every check that failed
 */
export async function loadRiskModel(directory: string): Promise<RiskModel> {
  const { report, model } = await examineBundle(directory, light);
  requirePassed(basename(resolve(directory)), report);
  return model!;
}
