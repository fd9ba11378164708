import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidModelError } from '../errors.js';
import type { Background } from '../explainers.js';
import { manifestSchema, type RiskModelManifest } from '../manifest.js';
import { numberOf } from '../manifest-texts.js';
import { requireOnnx } from './other-formats.js';
import { modelLimits } from '../onnx/model-proto.js';

/** Size limit of a text file of a bundle: 32 MB. It has room for 100,000 background rows of 20 features. */
const largestText = 32 * 1024 * 1024;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Reads a model file.
 * @throws InvalidModelError when it is missing, larger than `modelLimits.bytes` or in another library's own format
 */
export async function readModelFile(path: string): Promise<Uint8Array> {
  const bytes = await readBounded(path, modelLimits.bytes);
  requireOnnx(path.split(/[\\/]/).at(-1)!, bytes);
  return bytes;
}

/** Reads a text file of a bundle. @throws InvalidModelError when it is missing or too large */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBounded(path, largestText));
}

/** The files of a bundle by their names. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** The place from which the files of one bundle are read. */
export interface BundleSource {
  /** @throws InvalidModelError when the file is missing or has more bytes than `limit` */
  read(file: string, limit: number): Promise<Uint8Array>;
}

export const bundleDirectory = (directory: string): BundleSource => ({
  read: (file, limit) => readBounded(join(directory, file), limit),
});

export const bundleInMemory = (files: BundleFiles): BundleSource => ({
  async read(file, limit) {
    const bytes = files.get(file);
    if (!bytes) throw missingFile(file);
    requireSize(file, bytes.length, limit);
    return bytes;
  },
});

/** The files of which a bundle may consist, and the size limit of each. Other files of its folder are not read. */
const bundleFileLimits: Readonly<Record<string, number>> = {
  'manifest.json': largestText,
  'model.onnx': modelLimits.bytes,
  'MODEL_CARD.md': largestText,
  'background.json': largestText,
};

/**
 * Reads the files of a bundle directory. A missing file is left out: the checks of the bundle name it.
 * @throws InvalidModelError when a file is too large or cannot be read
 */
export async function readBundle(directory: string): Promise<BundleFiles> {
  const source = bundleDirectory(directory);
  const files = new Map<string, Uint8Array>();
  for (const [file, limit] of Object.entries(bundleFileLimits)) {
    if (await stat(join(directory, file)).then(Boolean, () => false)) files.set(file, await source.read(file, limit));
  }
  return files;
}

/** SHA-256 over the names and the contents of all files of a bundle, lower-case hex. */
export function bundleHash(files: BundleFiles): string {
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  return sha256(new TextEncoder().encode(lines.sort().join('')));
}

/** Reads the model file of a bundle. @throws InvalidModelError when it is missing or too large */
export async function readModel(bundle: BundleSource): Promise<Uint8Array> {
  const bytes = await bundle.read('model.onnx', modelLimits.bytes);
  requireOnnx('model.onnx', bytes);
  return bytes;
}

/** Reads the model card of a bundle. @throws InvalidModelError when it is missing or too large */
export const readModelCard = async (bundle: BundleSource): Promise<string> =>
  new TextDecoder().decode(await bundle.read('MODEL_CARD.md', largestText));

/** Reads manifest.json of a bundle. @throws InvalidModelError naming every wrong field */
export async function readManifest(bundle: BundleSource): Promise<RiskModelManifest> {
  const text = new TextDecoder().decode(await bundle.read('manifest.json', largestText));
  const result = manifestSchema.safeParse(parseJson('manifest.json', text));
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`);
  throw new InvalidModelError('manifest.json', issues.join(', '), 'correct these fields');
}

const backgroundSchema = z.array(z.array(z.union([z.number(), z.string(), z.null()]))).min(1);

/** Returns the number of a text in a column; undefined when the column has no such text. */
type TextNumber = (text: string, column: number) => number | undefined;

/**
 * Reads the background set that a manifest names; null when it names none.
 * @throws InvalidModelError when it is missing or changed, or its rows have another width
 */
export async function readBackground(bundle: BundleSource, manifest: RiskModelManifest): Promise<Background | null> {
  if (!manifest.background) return null;
  const { file, rows, sha256: expected } = manifest.background;
  const bytes = await bundle.read(file, largestText);
  if (sha256(bytes) !== expected)
    throw new InvalidModelError(
      file,
      'its SHA-256 is not the one in the manifest',
      'put back the file that the manifest was written for',
    );
  const background = parseRows(file, parseJson(file, new TextDecoder().decode(bytes)), {
    width: manifest.features.length,
    numberOfText: (text, column) => numberOf(manifest.features[column]?.codes, text),
  });
  if (background.rowCount !== rows)
    throw new InvalidModelError(
      file,
      `it has ${background.rowCount} rows and the manifest says ${rows}`,
      'write the right number',
    );
  return background;
}

/**
 * Parses an array of rows of numbers, null = missing. Columns of text may have texts.
 * @param options.width count of values that a row must have; the count of the first row when undefined
 * @throws InvalidModelError naming the row
 */
export function parseRows(
  name: string,
  json: unknown,
  { width, numberOfText = () => undefined }: { width?: number; numberOfText?: TextNumber } = {},
): Background {
  const result = backgroundSchema.safeParse(json);
  if (!result.success) {
    const [row, column] = result.error.issues[0]?.path ?? [];
    const place =
      typeof row === 'number'
        ? `row ${row + 1}${typeof column === 'number' ? `, column ${column + 1}` : ''} is neither a number nor null`
        : 'it is not an array of rows';
    throw new InvalidModelError(name, place, 'write an array of rows of numbers, null where missing');
  }
  const wanted = width ?? result.data[0]!.length;
  const uneven = result.data.findIndex((row) => row.length !== wanted);
  if (uneven >= 0)
    throw new InvalidModelError(
      name,
      `row ${uneven + 1} has ${result.data[uneven]!.length} numbers where ${wanted} are needed`,
      'give every row one number per feature',
    );
  const rows = Float64Array.from(result.data.flat(), (value, place) => {
    if (typeof value !== 'string') return value ?? Number.NaN;
    const column = place % wanted;
    const number = numberOfText(value, column);
    if (number !== undefined) return number;
    throw new InvalidModelError(
      name,
      `row ${Math.floor(place / wanted) + 1}, column ${column + 1} is a text that the column does not have`,
      'write a number, or for a column of text the value of one of its codes',
    );
  });
  return { rows, rowCount: result.data.length };
}

export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidModelError(name, 'it is not valid JSON', 'correct the file');
  }
}

const missingFile = (name: string, code = 'ENOENT', cause?: unknown): InvalidModelError =>
  new InvalidModelError(
    name,
    code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`,
    'check the path and its permissions',
    { cause },
  );

function requireSize(name: string, size: number, limit: number): void {
  if (size > limit)
    throw new InvalidModelError(name, `it has ${size} bytes, and the limit is ${limit}`, 'use a smaller file');
}

async function readBounded(path: string, limit: number): Promise<Uint8Array> {
  const name = path.split(/[\\/]/).at(-1)!;
  const missing = (error: NodeJS.ErrnoException): InvalidModelError =>
    missingFile(name, error.code ?? 'unknown error', error);
  const information = await stat(path).catch((error: NodeJS.ErrnoException) => Promise.reject(missing(error)));
  if (!information.isFile()) throw new InvalidModelError(name, 'it is not a file', 'give the path of a file');
  requireSize(name, information.size, limit);
  return readFile(path).catch((error: NodeJS.ErrnoException) => Promise.reject(missing(error)));
}
