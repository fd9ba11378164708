import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidModelError } from '../errors.js';
import type { Background } from '../explainers.js';
import { manifestSchema, type RiskModelManifest } from '../manifest.js';
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

/** Reads manifest.json of a bundle directory. @throws InvalidModelError naming every wrong field */
export async function readManifest(directory: string): Promise<RiskModelManifest> {
  const result = manifestSchema.safeParse(await readJson(directory, 'manifest.json'));
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`);
  throw new InvalidModelError('manifest.json', issues.join(', '), 'correct these fields');
}

const backgroundSchema = z.array(z.array(z.number().nullable())).min(1);

/**
 * Reads the background set that a manifest names; null when it names none.
 * @throws InvalidModelError when it is missing or changed, or its rows have another width
 */
export async function readBackground(directory: string, manifest: RiskModelManifest): Promise<Background | null> {
  if (!manifest.background) return null;
  const { file, rows, sha256: expected } = manifest.background;
  const bytes = await readBounded(join(directory, file), largestText);
  if (sha256(bytes) !== expected)
    throw new InvalidModelError(
      file,
      'its SHA-256 is not the one in the manifest',
      'put back the file that the manifest was written for',
    );
  const background = parseRows(file, parseJson(file, new TextDecoder().decode(bytes)), manifest.features.length);
  if (background.rowCount !== rows)
    throw new InvalidModelError(
      file,
      `it has ${background.rowCount} rows and the manifest says ${rows}`,
      'write the right number',
    );
  return background;
}

/**
 * Parses an array of rows of numbers, null = missing.
 * @param width count of numbers that a row must have; the count of the first row when undefined
 * @throws InvalidModelError naming the row
 */
export function parseRows(name: string, json: unknown, width?: number): Background {
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
  return { rows: Float64Array.from(result.data.flat(), (value) => value ?? Number.NaN), rowCount: result.data.length };
}

export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidModelError(name, 'it is not valid JSON', 'correct the file');
  }
}

async function readJson(directory: string, file: string): Promise<unknown> {
  return parseJson(file, await readText(join(directory, file)));
}

async function readBounded(path: string, limit: number): Promise<Uint8Array> {
  const name = path.split(/[\\/]/).at(-1)!;
  const missing = (error: NodeJS.ErrnoException): InvalidModelError =>
    new InvalidModelError(
      name,
      error.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${error.code ?? 'unknown error'})`,
      'check the path and its permissions',
      { cause: error },
    );
  const information = await stat(path).catch((error: NodeJS.ErrnoException) => Promise.reject(missing(error)));
  if (!information.isFile()) throw new InvalidModelError(name, 'it is not a file', 'give the path of a file');
  if (information.size > limit)
    throw new InvalidModelError(
      name,
      `it has ${information.size} bytes, and the limit is ${limit}`,
      'use a smaller file',
    );
  return readFile(path).catch((error: NodeJS.ErrnoException) => Promise.reject(missing(error)));
}
