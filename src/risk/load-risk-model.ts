import { basename, resolve } from 'node:path';
import { bundleDirectory, bundleInMemory, type BundleFiles, type BundleSource } from './bundle/bundle-files.js';
import { light } from './check/check-trees.js';
import { examineBundle } from './check/check-model.js';
import { requirePassed } from './check/report.js';
import type { RiskModel } from './risk-model.js';

/**
 * Loads a bundle: manifest.json, model.onnx, MODEL_CARD.md and, if present, background.json. It runs the same checks as
 * `riskgraph model check`, on fewer rows. The model holds an ONNX Runtime session, so the caller must close it.
 * @param directory folder of the bundle
 * @throws InvalidModelError naming every check that failed
 */
export const loadRiskModel = (directory: string): Promise<RiskModel> =>
  load(basename(resolve(directory)), bundleDirectory(directory));

/**
 * Loads a bundle from its files, with the same checks.
 * @param name name of the bundle in messages
 * @throws InvalidModelError naming every check that failed
 */
export const loadBundleFiles = (name: string, files: BundleFiles): Promise<RiskModel> =>
  load(name, bundleInMemory(files));

async function load(name: string, bundle: BundleSource): Promise<RiskModel> {
  const { report, model } = await examineBundle(bundle, light);
  requirePassed(name, report);
  return model!;
}
