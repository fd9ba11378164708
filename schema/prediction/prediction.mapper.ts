import type { Prediction, StoredExplanation } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { isPooled, shownValue } from '../../src/patients/de-identification.js';
import type { Simulation } from '../../src/predictions/explanation-request.js';
import type { RiskModelManifest } from '../../src/risk/manifest.js';
import type { RiskModel, RiskModelRegistry, Score } from '../../src/risk/risk-model.js';
import { renderWaterfall } from '../../src/risk/plots/waterfall.js';
import { toModelFeature, toRiskModel } from '../risk-model/risk-model.mapper.js';
import type { OutputSpace, RiskBand, ShapMethod } from '../risk-model/risk-model.type.js';
import type {
  ClassProbability,
  Explanation,
  FeatureValue,
  PredictionType,
  RiskSimulationType,
} from './prediction.type.js';

/** Maps predictions for one viewer. Ages are pooled for a viewer who may not see exact ages. */
export type PredictionMapper = (viewer: Viewer | null) => (prediction: Prediction) => PredictionType;

/** Creates the mapper to the objects that the API shows. Units come from the model that scored. */
export function createPredictionMapper(registry: RiskModelRegistry): PredictionMapper {
  return (viewer) => (prediction) => ({
    id: prediction._id.toHexString(),
    createdAt: prediction.createdAt,
    ...toAnswer(prediction, prediction.unit),
    classes: (prediction.classes ?? []).map(({ name, probability }) => ({ name, probability })),
    rawOutput: prediction.rawOutput,
    riskBand: prediction.riskBand as RiskBand,
    // Made only for a caller who asks for them: a page has 500 predictions.
    get inputs() {
      return toInputs(prediction.inputs, registry.manifest(prediction.modelId, prediction.modelVersion), viewer);
    },
    patientId: prediction.patient.toHexString(),
    jobId: prediction.job.toHexString(),
    modelId: prediction.modelId,
    modelVersion: prediction.modelVersion,
    modelSha256: prediction.modelSha256,
    source: prediction,
  });
}

/** The score that an explanation explains. */
interface ExplainedScore extends Answer {
  readonly riskBand: string;
  /** The class; absent: that of the risk band, if the model has classes. */
  readonly className?: string | null;
}

/** The answer of a model: one of the two is there. */
interface Answer {
  readonly probability?: number;
  readonly quantity?: number;
}

/** @param unit of the quantity */
function toAnswer(
  { probability, quantity }: Answer,
  unit: string | undefined,
): Pick<PredictionType, 'value' | 'unit' | 'probability'> {
  return { value: (probability ?? quantity)!, unit: unit ?? dimensionless, probability: probability ?? null };
}

const toClasses = ({ manifest }: RiskModel, { classes }: Score): ClassProbability[] =>
  (manifest.classes ?? []).map((name, place) => ({ name, probability: classes!.probabilities[place]! }));

/** UCUM code of a number without a unit. */
const dimensionless = '1';

function toInputs(
  inputs: Prediction['inputs'],
  manifest: RiskModelManifest | undefined,
  viewer: Viewer | null,
): FeatureValue[] {
  const features = new Map(manifest?.features.map((feature) => [feature.code, feature]));
  return Object.entries(inputs).map(([code, value]) => ({
    code,
    value: shownValue(code, features.get(code), value, viewer),
    unit: features.get(code)?.unit ?? '',
  }));
}

/**
 * Maps a stored explanation to the object that the API shows.
 * @param given the inputs in the order of the model's features, null for a missing one
 */
export function toExplanation(
  model: RiskModel,
  given: readonly (number | null)[],
  score: ExplainedScore,
  explanation: StoredExplanation,
  viewer: Viewer | null,
): Explanation {
  const { manifest } = model;
  const className = score.className ?? manifest.riskClass;
  const contributions = manifest.features.map((feature, index) => {
    const inputValue = shownValue(feature.code, feature, given[index] ?? null, viewer);
    const suffix = isPooled(feature.code, feature, inputValue, viewer) ? ' or more' : '';
    return {
      label: feature.label,
      get feature() {
        return toModelFeature(feature);
      },
      inputValue,
      displayValue: `${model.displayValue(feature, inputValue)}${suffix}`,
      value: explanation.contributions[index]!,
    };
  });
  return {
    method: explanation.method as ShapMethod,
    outputSpace: manifest.outputSpace as OutputSpace,
    class: className ?? null,
    baseValue: explanation.baseValue,
    outputValue: explanation.outputValue,
    additivityError: explanation.additivityError,
    source: {
      sorted: [...contributions].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)),
      waterfall: () =>
        renderWaterfall({
          manifest,
          score: {
            ...score,
            className,
            riskBand: className === manifest.riskClass ? (score.riskBand as RiskBand) : undefined,
          },
          explanation,
          contributions,
        }),
    },
  };
}

export function toSimulation(simulation: Simulation, viewer: Viewer | null): RiskSimulationType {
  const { model, row, score } = simulation;
  return {
    model: toRiskModel(model),
    ...toAnswer(score, model.manifest.quantity?.unit),
    classes: toClasses(model, score),
    rawOutput: score.rawOutput,
    riskBand: score.riskBand as RiskBand,
    inputs: model.manifest.features.map((feature, index) => ({
      code: feature.code,
      unit: feature.unit,
      value: shownValue(feature.code, feature, row.given[index] ?? null, viewer),
    })),
    source: simulation,
  };
}
