import type { Prediction, StoredExplanation } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { isPooled, shownValue } from '../../src/patients/de-identification.js';
import type { Simulation } from '../../src/predictions/explanation-request.js';
import type { ModelFeature as ManifestFeature, RiskModelManifest } from '../../src/risk/manifest.js';
import type { RiskModel, RiskModelRegistry, Score } from '../../src/risk/risk-model.js';
import { renderWaterfall } from '../../src/risk/plots/waterfall.js';
import { toModelFeature, toRiskModel } from '../risk-model/risk-model.mapper.js';
import type { OutputSpace, RiskBand, ShapMethod } from '../risk-model/risk-model.type.js';
import type {
  ClassProbability,
  Contribution,
  Explanation,
  FeatureValue,
  PredictionType,
  RiskSimulationType,
} from './prediction.type.js';

/** Maps predictions for one viewer. Ages are pooled for a viewer who may not see exact ages. */
export type PredictionMapper = (viewer: Viewer | null) => (prediction: Prediction) => PredictionType;

/** Creates the mapper to the objects that the API shows. Units come from the model that scored. */
export function createPredictionMapper(registry: RiskModelRegistry): PredictionMapper {
  return (viewer) => (prediction) => new ShownPrediction(prediction, viewer, registry);
}

/** A class, because getters of an object literal cost memory: docs/decisions/0026-getters-of-classes.md. */
class ShownPrediction implements PredictionType {
  readonly id: string;
  readonly createdAt: Date;
  readonly value: number;
  readonly unit: string;
  readonly probability: number | null;
  readonly classes: ClassProbability[];
  readonly rawOutput: number;
  readonly riskBand: RiskBand;
  readonly patientId: string;
  readonly jobId: string;
  readonly modelId: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
  event?: PredictionType['event'];

  constructor(
    readonly source: Prediction,
    private readonly viewer: Viewer | null,
    private readonly registry: RiskModelRegistry,
  ) {
    this.id = source._id.toHexString();
    this.createdAt = source.createdAt;
    ({ value: this.value, unit: this.unit, probability: this.probability } = toAnswer(source, source.unit));
    this.classes = (source.classes ?? []).map(({ name, probability }) => ({ name, probability }));
    this.rawOutput = source.rawOutput;
    this.riskBand = source.riskBand as RiskBand;
    this.patientId = source.patient.toHexString();
    this.jobId = source.job.toHexString();
    this.modelId = source.modelId;
    this.modelVersion = source.modelVersion;
    this.modelSha256 = source.modelSha256;
  }

  /** Made only for a caller who asks for them: a page has 500 predictions. */
  get inputs(): FeatureValue[] {
    const { inputs, modelId, modelVersion } = this.source;
    return toInputs(inputs, this.registry.manifest(modelId, modelVersion), this.viewer);
  }
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
    const displayValue = `${model.displayValue(feature, inputValue)}${suffix}`;
    return new ShownContribution(feature, inputValue, displayValue, explanation.contributions[index]!);
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

/** The feature is mapped only for a caller who asks for it. */
class ShownContribution implements Contribution {
  readonly label: string;

  constructor(
    private readonly modelFeature: ManifestFeature,
    readonly inputValue: number | null,
    readonly displayValue: string,
    readonly value: number,
  ) {
    this.label = modelFeature.label;
  }

  get feature() {
    return toModelFeature(this.modelFeature);
  }
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
