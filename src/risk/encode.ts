import { featureValueIssue, unitSuffix } from './feature-value.js';
import type { ModelFeature, RiskModelManifest } from './manifest.js';
import {
  InvalidFeaturesError,
  type EncodedRow,
  type EncodedRows,
  type FeatureIssue,
  type FeatureValues,
} from './risk-model.js';

/** Rounds a feature's value to the type of the model's input, as training did. */
type InputRounding = (value: number, feature: number) => number;

/**
 * Encodes one patient as in training. Each feature's policy replaces a missing value; numbers are rounded to the
 * model's input type.
 * @throws InvalidFeaturesError with every unknown code, bad value and missing required feature
 */
export function encodeFeatures(manifest: RiskModelManifest, values: FeatureValues, round: InputRounding): EncodedRow {
  const issues: FeatureIssue[] = unknownCodes(manifest, values);
  const given: (number | null)[] = [];
  const used = new Float64Array(manifest.features.length);
  manifest.features.forEach((feature, index) => {
    const value = Object.hasOwn(values, feature.code) ? (values[feature.code] ?? null) : null;
    given.push(value);
    if (value === null && feature.missing.policy === 'REQUIRED')
      issues.push({ code: feature.code, message: `is required${inUnit(feature)}` });
    const issue = value === null ? undefined : featureValueIssue(feature, value);
    if (issue) issues.push({ code: feature.code, message: issue });
    used[index] = round(value ?? substitute(feature), index);
  });
  if (issues.length > 0) throw new InvalidFeaturesError(issues);
  return { given, used };
}

/**
 * Encodes many patients as `encodeFeatures` does, without an object for each.
 * @param given row-major, rows x features, in the manifest's order; NaN where missing
 */
export function encodeRows(manifest: RiskModelManifest, given: Float64Array, round: InputRounding): EncodedRows {
  const { features } = manifest;
  const width = features.length;
  const used = new Float64Array(given.length);
  const refused = new Map<number, InvalidFeaturesError>();
  for (let row = 0; row < given.length / width; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const feature = features[column]!;
      const value = given[row * width + column]!;
      const missing = Number.isNaN(value);
      if (missing ? feature.missing.policy === 'REQUIRED' : featureValueIssue(feature, value) !== undefined) {
        refused.set(row, refusal(manifest, given.subarray(row * width, (row + 1) * width), round));
        break;
      }
      used[row * width + column] = round(missing ? substitute(feature) : value, column);
    }
  }
  return { used, refused };
}

/** Makes the error with all issues of a row. The row has at least one. */
function refusal(manifest: RiskModelManifest, given: Float64Array, round: InputRounding): InvalidFeaturesError {
  try {
    encodeFeatures(
      manifest,
      Object.fromEntries(
        manifest.features.map(({ code }, column) => [code, Number.isNaN(given[column]) ? null : given[column]]),
      ),
      round,
    );
  } catch (error) {
    if (error instanceof InvalidFeaturesError) return error;
    throw error;
  }
  throw new Error('a row was refused that has no issue');
}

function substitute(feature: ModelFeature): number {
  return feature.missing.policy === 'IMPUTE' ? feature.missing.value : Number.NaN;
}

function inUnit(feature: ModelFeature): string {
  return feature.unitLabel === '' ? '' : `, in${unitSuffix(feature)}`;
}

function unknownCodes(manifest: RiskModelManifest, values: FeatureValues): FeatureIssue[] {
  const known = new Set(manifest.features.map((feature) => feature.code));
  return Object.keys(values)
    .filter((code) => !known.has(code))
    .map((code) => {
      const near = nearestCodes(code, [...known]);
      const hint =
        near.length > 0
          ? `did you mean ${near.map((candidate) => `"${candidate}"`).join(' or ')}?`
          : `it takes ${[...known].slice(0, 20).join(', ')}`;
      return { code: shownCode(code), message: `is not a feature of ${manifest.id}@${manifest.version}: ${hint}` };
    });
}

/**
 * Returns a code as an error may show it. A caller may type anything, also a name or a record number, so a text that
 * cannot be a code is described and not shown.
 */
export function shownCode(code: string): string {
  if (/^\w{1,64}$/.test(code)) return code;
  if (code === '') return '(an empty code)';
  if (code.length > 64) return '(a code of more than 64 characters)';
  return /\s/.test(code) ? '(a code with a blank)' : '(a code with a character other than a-z, 0-9 and _)';
}

/** Finds up to two codes that differ from `code` by few edits, nearest first. */
function nearestCodes(code: string, known: readonly string[]): string[] {
  const wanted = code.slice(0, 64).toLowerCase();
  return known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, Math.floor(candidate.length / 3)))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 2)
    .map(({ candidate }) => candidate);
}

/** Computes the Levenshtein distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}
