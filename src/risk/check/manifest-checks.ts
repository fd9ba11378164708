import { calibrationIssue } from '../calibration.js';
import { InvalidModelError } from '../errors.js';
import { featureValueIssue } from '../feature-value.js';
import type { ModelFeature, RiskModelManifest } from '../manifest.js';
import { featureTypes } from '../graph/model-inputs.js';
import type { NumberType } from '../onnx/number-types.js';
import type { ParsedModel } from '../parse-model.js';
import { requireMatchingOutput } from './output-checks.js';
import { ucumIssue } from './ucum.js';

/**
 * Checks what the schema cannot express: units are in UCUM, imputed values are allowed, the calibration is monotone.
 * @throws InvalidModelError naming up to ten issues
 */
export function requireCompleteManifest(manifest: RiskModelManifest): void {
  const issues = manifest.features.flatMap((feature) => {
    const unit = ucumIssue(feature.unit);
    const imputed =
      feature.missing.policy === 'IMPUTE' && !feature.codes
        ? featureValueIssue({ ...feature, kind: 'CONTINUOUS' }, feature.missing.value)
        : undefined;
    const values = feature.codes?.map((code) => code.value) ?? [];
    return [
      ...(unit ? [`feature "${feature.code}": its unit ${unit}`] : []),
      ...(imputed ? [`feature "${feature.code}": its imputed value ${imputed}`] : []),
      ...(new Set(values).size < values.length ? [`feature "${feature.code}": a code appears twice`] : []),
    ];
  });
  const quantityUnit = manifest.quantity && ucumIssue(manifest.quantity.unit);
  if (quantityUnit) issues.push(`quantity: its unit ${quantityUnit}`);
  const calibration = calibrationIssue(manifest.calibration);
  if (calibration) issues.push(`calibration: ${calibration}`);
  const codes = new Set(manifest.features.map((feature) => feature.code));
  for (const code of Object.keys(manifest.globalImportance ?? {}))
    if (!codes.has(code)) issues.push(`globalImportance: "${code}" is no feature`);
  if (issues.length > 0)
    throw new InvalidModelError('manifest.json', issues.slice(0, 10).join(', '), 'correct these fields');
}

/** Checks that the manifest describes this model. @throws InvalidModelError naming the first mismatch */
export function requireMatchingModel(manifest: RiskModelManifest, parsed: ParsedModel): void {
  const refuse = (reason: string, remedy: string): never => {
    throw new InvalidModelError('manifest.json', reason, remedy);
  };
  if (manifest.features.length !== parsed.featureCount)
    refuse(
      `it lists ${manifest.features.length} features and the model takes ${parsed.featureCount}`,
      'list every input of the model, in order',
    );
  requireMatchingOutput(manifest, parsed);
  const handled = missingValuesHandled(parsed);
  const untracked = manifest.features.find(({ missing }, index) => missing.policy === 'NATIVE' && !handled(index));
  if (untracked)
    refuse(
      `feature "${untracked.code}" is given to the model when missing, but no node of the model says where missing ` +
        'values go',
      'use IMPUTE or REQUIRED, or train with missing values and export a model that tracks them',
    );
  featureTypes(parsed.inputs).forEach((type, index) => {
    const feature = manifest.features[index]!;
    requireFitting(feature, index, parsed, type.name === 'string');
    if (!type.whole) return;
    if (feature.missing.policy === 'NATIVE')
      refuse(
        `feature "${feature.code}" is given to the model when missing, but the model's input is of ${type.name}, which ` +
          'cannot be missing',
        'use IMPUTE or REQUIRED',
      );
    if (!fits(type, feature))
      refuse(
        `feature "${feature.code}" allows or imputes a value that the model's input of ${type.name} cannot hold`,
        `keep its codes, range and imputed value to whole numbers from ${type.least} to ${type.most}`,
      );
  });
}

/** Checks a feature's codes and missing policy against what the operators before the trees take. */
function requireFitting(feature: ModelFeature, index: number, { limits }: ParsedModel, text: boolean): void {
  const refuse = (reason: string, remedy: string): never => {
    throw new InvalidModelError('manifest.json', `feature "${feature.code}" ${reason}`, remedy);
  };
  const texts = feature.codes?.filter((code) => code.text !== undefined).length ?? 0;
  if (text && (texts === 0 || texts < feature.codes!.length))
    refuse(
      'is a text of the model, but its codes are not',
      'make it CATEGORICAL with the texts as the values of codes',
    );
  if (!text && texts > 0) refuse('has codes of text, but the model takes numbers', 'write numbers as values of codes');
  const operator = limits.present.get(index);
  if (operator !== undefined && feature.missing.policy === 'NATIVE')
    refuse(`is given to the model when missing, but ${operator} in the model takes no NaN`, 'use IMPUTE or REQUIRED');
  const allowed = limits.allowed.get(index);
  if (!allowed) return;
  const known = limits.texts;
  const names = allowed.slice(0, 20).map((value) => (text ? `"${known[value]}"` : String(value)));
  const takes = (code: { value: number; text?: string }): boolean =>
    allowed.includes(text ? known.indexOf(code.text!) : code.value);
  if (!feature.codes?.every(takes))
    refuse(
      'allows values on which the OneHotEncoder of the model fails',
      `limit its codes to ${names.join(', ')}, or train with OneHotEncoder(handle_unknown="ignore")`,
    );
}

/** Returns the function that tells whether the operators and trees of a model say what becomes of a missing value. */
export function missingValuesHandled({ ensemble, comparedColumns }: ParsedModel): (feature: number) => boolean {
  const { missingTracksTrue, trueChild, feature: column } = ensemble;
  const tracked = missingTracksTrue.includes(1);
  const used = new Set(
    Array.from(
      column.filter((_, node) => trueChild[node]! >= 0),
      (index) => comparedColumns[index]!.feature,
    ),
  );
  const reachesTrees = (index: number): boolean =>
    comparedColumns.some(({ feature, step }) => feature === index && Number.isNaN(step(Number.NaN)));
  return (index) => tracked || !used.has(index) || !reachesTrees(index);
}

/** Tells whether the type of whole numbers holds the ends of a feature's range, its codes and its imputed value. */
function fits({ least, most }: NumberType, { codes, range, missing }: ModelFeature): boolean {
  const within = (value: number): boolean => value >= least && value <= most;
  const whole = (value: number): boolean => Number.isInteger(value) && within(value);
  return (
    (codes?.every(({ value }) => whole(value)) ?? true) &&
    (!range || (within(range.min) && within(range.max))) &&
    (missing.policy !== 'IMPUTE' || whole(missing.value))
  );
}
