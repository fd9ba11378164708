import { RiskModelsDocument, type RiskModelsQuery } from '../client/generated/graphql.js';
import type { ResultPrediction } from './bulk-client.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import { StartupError } from '../errors.js';
import type { ModelFeature } from '../risk/manifest.js';

/** A risk model as the API lists it. */
export type ListedModel = RiskModelsQuery['riskModels'][number];

/**
 * Finds a model among those that the API serves.
 * @param modelVersion without one, the default version
 * @throws StartupError naming the models that are served
 */
export async function chooseModel(
  client: GraphqlClient,
  { model, modelVersion }: { readonly model: string; readonly modelVersion?: string },
): Promise<ListedModel> {
  const { riskModels } = await client.request(RiskModelsDocument);
  const chosen = riskModels.find(
    ({ modelId, version, isDefault }) => modelId === model && (modelVersion ? version === modelVersion : isDefault),
  );
  if (chosen) return chosen;
  const served = riskModels.map(({ id }) => id).join(', ');
  throw new StartupError(
    `The API serves no risk model ${model}${modelVersion ? `@${modelVersion}` : ''}: choose one of ${served}.`,
  );
}

/** The features of a model by code, in the form that the engine's own checks read. */
export const featuresOf = ({ features }: ListedModel): Map<string, ModelFeature> =>
  new Map(features.map((feature) => [feature.code, toManifestFeature(feature)]));

function toManifestFeature(feature: ListedModel['features'][number]): ModelFeature {
  const { missing } = feature;
  return {
    code: feature.code,
    label: feature.label,
    unit: feature.unit,
    unitLabel: feature.unitLabel,
    kind: feature.kind,
    range: feature.range ?? undefined,
    codes: feature.codes ?? undefined,
    missing:
      missing.policy === 'REQUIRED'
        ? { policy: 'REQUIRED' }
        : missing.policy === 'IMPUTE'
          ? { policy: 'IMPUTE', value: missing.value!, meaning: missing.meaning! }
          : { policy: 'NATIVE', meaning: missing.meaning! },
  };
}

type Cell = string | number;

/** The columns of the results. The last one has the reason of a patient that could not be scored. */
export const resultColumns = (model: ListedModel): string[] => [
  'mrn',
  ...(model.quantity ? ['value', 'unit'] : ['probability']),
  ...model.classes.map((name) => `probability_${name}`),
  'risk_band',
  'raw_output',
  'base_value',
  ...model.features.map(({ code }) => `contribution_${code}`),
  'failure',
];

/** The line of a patient that was scored. @throws StartupError for a prediction without an explanation */
export function predictionLine(
  mrn: string,
  { value, unit, classes = {}, riskBand, rawOutput, explanation }: ResultPrediction,
  model: ListedModel,
): Cell[] {
  if (!explanation)
    throw new StartupError(
      `The prediction of a patient has no explanation that adds up: verify the predictions of ${model.id}.`,
    );
  return [
    mrn,
    ...(model.quantity ? [value, unit] : [value]),
    ...model.classes.map((name) => classes[name]!),
    riskBand,
    rawOutput,
    explanation.baseValue,
    ...model.features.map(({ code }) => explanation.contributions[code]!),
    '',
  ];
}

/** The line of a patient that could not be scored. */
export function failureResult(mrn: string, message: string, model: ListedModel): Cell[] {
  const empty = resultColumns(model)
    .slice(2)
    .map(() => '');
  return [mrn, ...empty, message];
}
