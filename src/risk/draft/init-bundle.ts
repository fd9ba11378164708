import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readModelFile, sha256 } from '../bundle/bundle-files.js';
import { missingValuesHandled } from '../check/manifest-checks.js';
import { randomRows } from '../check/probe-rows.js';
import { InvalidModelError, oneLine, quoted } from '../errors.js';
import { featureTypes } from '../graph/model-inputs.js';
import { startModelSession } from '../onnx-session.js';
import { type ParsedModel, parseModel } from '../parse-model.js';
import { draftFeature, type DraftFeature } from './draft-features.js';
import { draftBands, draftOutput, type DraftOutput } from './draft-output.js';
import { answerOf, draftScorer, goldenVector, parseDraft } from './draft-scores.js';
import { goldenInputs, shuffledRows } from './draft-rows.js';
import { chooseColumns, featureCodes, featureLabel, namesInFile } from './feature-names.js';
import { draftCard } from './model-card.js';
import { openPoints } from './open-points.js';
import { readTrainingTable, type TrainingTable } from './training-table.js';

export interface InitOptions {
  /** Path of the .onnx file. */
  readonly model: string;
  /** Path of the new bundle directory, whose parent exists. */
  readonly directory: string;
  /** Path of a CSV with the training rows. */
  readonly csv?: string;
  /** Column of the CSV that the model predicts. */
  readonly target?: string;
  /** Columns of the CSV that are the features, in the order of training. */
  readonly features?: readonly string[];
  readonly name?: string;
  /** UCUM unit, when the model gives a quantity. */
  readonly unit?: string;
  /** The class whose probability gives the risk band. */
  readonly riskClass?: string;
  /** Rows of the background set that is made from the CSV; 0 for none. */
  readonly background: number;
}

/** The fewest rows that are sampled: the limits of the bands are quantiles of their answers. */
const sampleRows = 1000;

/**
 * Drafts a bundle around a model file, and writes it into a new directory. Nothing is written when the file, the CSV or
 * the draft is faulty.
 *
 * 1. The trees are read. The features get names from the file or the header of the CSV.
 * 2. The CSV is read as a stream: kinds, ranges, codes, missing values, and a sample of rows.
 * 3. Background rows and golden inputs are made. Each column is shuffled on its own, so that no row is a patient.
 * 4. ONNX Runtime scores the golden inputs and the sample. The sample's answers give the limits of the bands.
 * 5. The files are written.
 *
 * @returns the points that only a person can fill in, one line each
 * @throws InvalidModelError naming what is faulty
 */
export async function initBundle(options: InitOptions): Promise<string[]> {
  const bytes = await readModelFile(options.model);
  const declared = parseModel(bytes);
  const fileNames = namesInFile(declared.inputs);
  const table = options.csv === undefined ? undefined : await readTable(options, options.csv, declared, fileNames);
  const featureCount = table?.columns.length ?? declared.featureCount;
  const parsed = declared.widthDeclared ? declared : parseModel(bytes, { featureCount });
  const names =
    table?.columns.map((column) => column.name) ??
    fileNames ??
    options.features ??
    Array.from({ length: parsed.featureCount }, (_, feature) => `feature ${feature + 1}`);
  requireCount(names, parsed);
  const features = draftFeatures(parsed, names, table);
  const background = table ? shuffledRows(table.sample, options.background) : [];
  const backgroundText = JSON.stringify(background);
  const output = draftOutput(parsed, options);
  const isQuantity = output.quantity !== undefined;
  const algorithm = `TODO: write how it was trained. It has ${parsed.ensemble.roots.length} trees.`;
  const draft = {
    ...headOf(options, bytes),
    ...output,
    calibration: { method: 'NONE' },
    riskBands: draftBands([], isQuantity),
    features,
    ...(background.length > 0 && {
      background: { file: 'background.json', rows: background.length, sha256: sha256(Buffer.from(backgroundText)) },
    }),
    training: {
      data: 'TODO: write where the data are from.',
      patients: table?.rowCount ?? 1,
      ...(!isQuantity && { events: table?.target?.count(eventLabel(parsed, output)) ?? 0 }),
      algorithm,
    },
    metrics: [],
    golden: [],
  };
  const inputs = goldenInputs(features, featureTypes(parsed.inputs), table?.sample);
  const session = await startModelSession(bytes, parsed);
  try {
    const score = draftScorer(draft, parsed, session);
    const answers = (await score(table?.sample ?? [])).map(answerOf);
    const golden = (await score(inputs)).map((given, row) => goldenVector(draft, inputs[row]!, given));
    const manifest = { ...draft, riskBands: draftBands(answers, isQuantity), golden };
    parseDraft(manifest);
    const { name, version, model } = manifest;
    await writeFiles(options.directory, {
      'model.onnx': bytes,
      'manifest.json': `${JSON.stringify(manifest, null, 2)}\n`,
      'MODEL_CARD.md': draftCard({
        name,
        version,
        sha256: model.sha256,
        algorithm,
        features,
        ...(table && { patients: table.rowCount }),
      }),
      ...(background.length > 0 && { 'background.json': backgroundText }),
    });
    return openPoints({ features, output, backgroundRows: background.length, ...(table && { table }) });
  } finally {
    await session.close();
  }
}

/** Returns the label of the event in the target: the class of the risk, or the second of two labels. */
const eventLabel = ({ labels }: ParsedModel, { riskClass, outputIndex = 0 }: DraftOutput): string =>
  riskClass ?? labels?.[labels.length === 2 ? 1 : outputIndex] ?? '1';

function readTable(
  { features, target, background }: InitOptions,
  file: string,
  { inputs, featureCount, widthDeclared }: ParsedModel,
  fileNames: readonly string[] | undefined,
): Promise<TrainingTable> {
  const types = featureTypes(inputs);
  const names = features ?? fileNames;
  return readTrainingTable({
    file,
    ...(target !== undefined && { target }),
    sampleRows: Math.max(background, sampleRows),
    choose: (header) =>
      chooseColumns(header, {
        ...(names && { names }),
        ...(target !== undefined && { target }),
        ...(widthDeclared && { featureCount }),
      }).map((name, feature) => ({ name, text: takesText(types[feature]) })),
  });
}

const takesText = (type: { readonly name: string } | undefined): boolean => type?.name === 'string';

function requireCount(names: readonly string[], { featureCount }: ParsedModel): void {
  if (names.length !== featureCount)
    throw new InvalidModelError(
      'the features',
      `${names.length} are named and the model takes ${featureCount}`,
      'name each input by --features a,b,c in the order of training',
    );
}

function draftFeatures(
  parsed: ParsedModel,
  names: readonly string[],
  table: TrainingTable | undefined,
): DraftFeature[] {
  const types = featureTypes(parsed.inputs);
  const handled = missingValuesHandled(parsed);
  const codes = featureCodes(names);
  const { rows } = randomRows(parsed, 200);
  return names.map((name, feature) =>
    draftFeature({
      code: codes[feature]!,
      label: featureLabel(oneLine(name)),
      type: types[feature]!,
      categories: parsed.wholeFeatures.has(feature) || parsed.limits.allowed.has(feature),
      native: handled(feature) && !types[feature]!.whole && !parsed.limits.present.has(feature),
      ...knownCategories(parsed, feature, takesText(types[feature])),
      ...(table && { profile: table.profiles[feature]! }),
      probes: rows.filter((_, place) => place % parsed.featureCount === feature),
    }),
  );
}

function headOf({ model, name, directory }: InitOptions, bytes: Uint8Array) {
  const title = name ?? featureLabel(basename(model).replace(/\.onnx$/i, ''));
  return {
    schemaVersion: 1,
    id: idOf(name ?? basename(directory)),
    version: '1.0.0',
    name: title,
    description: 'TODO: write what the model estimates, for which patients, and from which data.',
    intendedUse: 'TODO: write for whom and for which decision the model is meant, and for what it is not.',
    outcome: 'TODO: write the event or the quantity, with its time span.',
    model: { file: 'model.onnx', sha256: sha256(bytes) },
  };
}

/** Makes an id in kebab-case from a name. */
function idOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '');
  return id.slice(0, 64).replace(/-+$/, '') || 'model';
}

/** Returns the categories that the model knows: the texts or numbers of an encoder of the feature. */
function knownCategories(
  { limits }: ParsedModel,
  feature: number,
  text: boolean,
): { known?: readonly (number | string)[] } {
  const allowed = limits.allowed.get(feature);
  if (!text) return allowed ? { known: allowed } : {};
  // An encoder that ignores unknown texts does not limit them: any text of the file may be the feature's.
  return { known: allowed?.map((index) => limits.texts[index]!) ?? limits.texts };
}

/** Writes the files into a new directory, and leaves none when one cannot be written. */
async function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidModelError(
      quoted(directory),
      error.code === 'EEXIST' ? 'it exists, and nothing is overwritten' : `it cannot be made (${error.code})`,
      error.code === 'EEXIST'
        ? 'name a new directory by --out'
        : 'name a new directory below one that exists, by --out',
    );
  });
  try {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(directory, name), content, { flag: 'wx' });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
