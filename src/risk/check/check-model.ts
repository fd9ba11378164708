import { stat } from 'node:fs/promises';
import {
  bundleDirectory,
  readBackground,
  readManifest,
  readModel,
  readModelCard,
  readModelFile,
  sha256,
  type BundleSource,
} from '../bundle/bundle-files.js';
import { InvalidModelError } from '../errors.js';
import type { Background } from '../explainers.js';
import type { RiskModelManifest } from '../manifest.js';
import { modelValue } from '../model-value.js';
import { readModelRows } from '../model-rows.js';
import { type OnnxSession, startModelSession } from '../onnx-session.js';
import { type ParsedModel, parseModel } from '../parse-model.js';
import type { RiskModel } from '../risk-model.js';
import { createServedModel } from '../served-model.js';
import { type CheckEffort, checkAgreement, checkExplainers, thorough } from './check-trees.js';
import { requireGoldenVectors } from './golden-vectors.js';
import { requireCompleteManifest, requireMatchingModel } from './manifest-checks.js';
import { randomRows } from './probe-rows.js';
import { CheckList, type CheckProgress, type CheckReport } from './report.js';

interface CheckOptions {
  /** Called now and then during the long checks. */
  readonly progress?: CheckProgress;
  /** Path of rows against which rows are explained, in addition to the bundle's own or in place of random ones. */
  readonly background?: string | undefined;
}

/**
 * Checks a bundle directory on every threshold of the model. For a bare .onnx file, only the checks that apply are run.
 * It never throws for a problem of the model: the report says it.
 */
export async function checkModel(path: string, options: CheckOptions = {}): Promise<CheckReport> {
  const isDirectory = await stat(path).then(
    (information) => information.isDirectory(),
    () => false,
  );
  if (!isDirectory) return checkFile(path, options);
  const { report, model } = await examineBundle(bundleDirectory(path), thorough, options);
  await model?.close();
  return report;
}

/**
 * Runs every check that a bundle must pass before it is served:
 *
 * 1. The manifest, the model file, the model card and the background set are read.
 * 2. The model file must have the SHA-256 of the manifest. Its trees are parsed, and ONNX Runtime must load it.
 * 3. ONNX Runtime and the parsed trees are compared on probe rows.
 * 4. The explainers are made, and their values must add up.
 * 5. The golden vectors, at least three, are scored and explained again.
 *
 * @returns the report, and the model when nothing failed; the caller closes it
 */
export async function examineBundle(
  bundle: BundleSource,
  effort: CheckEffort,
  { progress, background: rowsFile }: CheckOptions = {},
): Promise<{ report: CheckReport; model?: RiskModel }> {
  const list = new CheckList(progress);
  const manifest = await list.run('manifest', () => readCompleteManifest(bundle), describeManifest);
  const bytes = await list.run(
    'model file',
    () => readModel(bundle),
    (read) => `${read.length} bytes`,
  );
  const card = await list.run(
    'model card',
    () => readCard(bundle),
    (text) => `MODEL_CARD.md, ${text.length} characters`,
  );
  if (!manifest || !bytes || card === undefined) return { report: list.report() };
  const hash = sha256(bytes);
  await list.run(
    'SHA-256',
    () => requireHash(manifest, hash),
    () => hash,
  );
  const background = await list.run(
    'background set',
    () => readBackground(bundle, manifest),
    (read) => (read ? `${read.rowCount} rows` : 'none'),
  );
  const parsed = await list.run('trees', () => parseFor(bytes, manifest), describeTrees);
  const further = parsed && (await readFurther(list, rowsFile, parsed));
  if (!parsed || background === undefined || further === undefined) return { report: list.report() };
  const session = await list.run(
    'ONNX Runtime',
    () => startModelSession(bytes, parsed),
    () => 'loads the model',
  );
  if (!session) return { report: list.report() };
  await checkAgreement(list, parsed, session, { effort, bytes });
  const plan = {
    background: background && asModelRows(background, manifest, parsed),
    ...(further && { further }),
    standIn: false,
  };
  const explainers = await checkExplainers(list, parsed, { ...plan, output: manifest.outputIndex }, effort);
  if (explainers.size === 0)
    list.fail(
      'explanations',
      'no SHAP method is left: write the real counts to nodes_hitrates when exporting, or add a background set to ' +
        'the bundle',
    );
  const classExplainers = manifest.classes
    ? await checkExplainers(list, parsed, { ...plan, of: ' of every class' }, effort)
    : undefined;
  const model = createServedModel({ manifest, sha256: hash, card, parsed, session, explainers, classExplainers });
  await list.run(
    'golden vectors',
    () => requireGoldenVectors(model),
    ({ count, notFromLibrary }) =>
      notFromLibrary === 0
        ? `${count} reproduced`
        : `${count} reproduced; WARNING: ${notFromLibrary} of them are from ONNX Runtime, so nothing shows that the ` +
          "exporter wrote the library's model: replace them by the library's own output",
  );
  const report = list.report();
  if (report.ok) return { report, model };
  await session.close();
  return { report };
}

async function checkFile(path: string, { progress, background: rowsFile }: CheckOptions): Promise<CheckReport> {
  const list = new CheckList(progress);
  const bytes = await list.run(
    'model file',
    () => readModelFile(path),
    (read) => `${read.length} bytes`,
  );
  const parsed = bytes && (await list.run('trees', () => parseModel(bytes), describeTrees));
  const session =
    parsed &&
    (await list.run<OnnxSession>(
      'ONNX Runtime',
      () => startModelSession(bytes, parsed),
      () => 'loads the model',
    ));
  if (!session) return list.report();
  await checkAgreement(list, parsed, session, { effort: thorough, bytes });
  const further = await readFurther(list, rowsFile, parsed);
  if (further !== undefined)
    await checkExplainers(
      list,
      parsed,
      { background: further ?? randomRows(parsed, 300), standIn: further === null },
      thorough,
    );
  await session.close();
  return list.report();
}

/** Reads the caller's background rows; null when there are none, undefined when they are faulty. */
async function readFurther(
  list: CheckList,
  path: string | undefined,
  parsed: ParsedModel,
): Promise<Background | null | undefined> {
  if (path === undefined) return null;
  return list.run(
    'given background',
    () => readModelRows('background file', path, parsed),
    ({ rowCount }) => `${rowCount} rows`,
  );
}

async function readCompleteManifest(bundle: BundleSource): Promise<RiskModelManifest> {
  const manifest = await readManifest(bundle);
  requireCompleteManifest(manifest);
  return manifest;
}

function describeManifest(manifest: RiskModelManifest): string {
  const { id, version, features } = manifest;
  // A draft of "riskgraph model init" has these where only a person knows the text.
  const open = JSON.stringify(manifest).match(/"TODO/g)?.length ?? 0;
  return (
    `${id}@${version}, ${features.length} features with label, unit, kind, codes or range and missing policy` +
    (open === 0 ? '' : `; WARNING: ${open} of its texts begin with TODO, and readers would see them`)
  );
}

async function readCard(bundle: BundleSource): Promise<string> {
  const card = await readModelCard(bundle);
  if (card.trim() === '')
    throw new InvalidModelError(
      'MODEL_CARD.md',
      'it is empty',
      'write what the model is for, its data, its limits and its results',
    );
  return card;
}

function requireHash(manifest: RiskModelManifest, hash: string): void {
  if (manifest.model.sha256 !== hash)
    throw new InvalidModelError(
      'model.onnx',
      `its SHA-256 is ${hash}, not the ${manifest.model.sha256} of the manifest`,
      'put back the file that the manifest was written for, or correct the manifest',
    );
}

/** Returns background rows with the model's own values. */
function asModelRows(background: Background, manifest: RiskModelManifest, parsed: ParsedModel): Background {
  const value = modelValue(manifest, parsed);
  const width = manifest.features.length;
  return { ...background, rows: background.rows.map((given, place) => value(given, place % width)) };
}

function parseFor(bytes: Uint8Array, manifest: RiskModelManifest): ParsedModel {
  const declared = parseModelOfWidth(bytes, manifest.features.length);
  requireMatchingModel(manifest, declared);
  return declared;
}

/** Parses a model. One that declares its width keeps it, so that an error names the manifest's mismatch. */
function parseModelOfWidth(bytes: Uint8Array, featureCount: number): ParsedModel {
  const own = parseModel(bytes);
  return own.widthDeclared ? own : parseModel(bytes, { featureCount });
}

function describeTrees({ ensemble, featureCount }: ParsedModel): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return (
    `${plural(ensemble.roots.length, 'tree')}, ${plural(ensemble.mode.length, 'node')}, ` +
    `${plural(featureCount, 'feature')}, ${plural(ensemble.outputCount, 'output')}, compared in ` +
    `float${ensemble.precision}`
  );
}
