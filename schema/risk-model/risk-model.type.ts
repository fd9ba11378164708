import type { RiskModel } from '../../src/risk/risk-model.js';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

export enum RiskBand {
  LOW = 'LOW',
  MODERATE = 'MODERATE',
  HIGH = 'HIGH',
  VERY_HIGH = 'VERY_HIGH',
}
export enum OutputSpace {
  PROBABILITY = 'PROBABILITY',
  LOG_ODDS = 'LOG_ODDS',
  IDENTITY = 'IDENTITY',
  LOG = 'LOG',
}
export enum ShapMethod {
  PATH_DEPENDENT = 'PATH_DEPENDENT',
  INTERVENTIONAL = 'INTERVENTIONAL',
}
export enum FeatureKind {
  CONTINUOUS = 'CONTINUOUS',
  COUNT = 'COUNT',
  BINARY = 'BINARY',
  CATEGORICAL = 'CATEGORICAL',
}
export enum MissingValuePolicy {
  REQUIRED = 'REQUIRED',
  IMPUTE = 'IMPUTE',
  NATIVE = 'NATIVE',
}
registerEnumType(RiskBand, {
  name: 'RiskBand',
  description: 'The risk model says what each band means.',
  valuesConfig: {
    LOW: { description: 'The lowest band.' },
    MODERATE: { description: 'The band above LOW.' },
    HIGH: { description: 'The band above MODERATE.' },
    VERY_HIGH: { description: 'The highest band.' },
  },
});
registerEnumType(OutputSpace, {
  name: 'OutputSpace',
  description: 'The space in which contributions add up.',
  valuesConfig: {
    PROBABILITY: { description: 'The probability itself, before calibration.' },
    LOG_ODDS: { description: 'The log-odds of the probability. Of several classes: the margin of one before softmax.' },
    IDENTITY: { description: 'The quantity itself, in its unit.' },
    LOG: { description: 'The natural logarithm of the quantity.' },
  },
});
registerEnumType(ShapMethod, {
  name: 'ShapMethod',
  description: 'The way in which SHAP values treat features that are left out. Both are exact.',
  valuesConfig: {
    PATH_DEPENDENT: { description: 'By the training rows that reached each node of the trees.' },
    INTERVENTIONAL: { description: 'By the values of background rows.' },
  },
});
registerEnumType(FeatureKind, {
  name: 'FeatureKind',
  description: 'The kind of values of a feature.',
  valuesConfig: {
    CONTINUOUS: { description: 'Any number in the range.' },
    COUNT: { description: 'A whole number in the range.' },
    BINARY: { description: '0 or 1.' },
    CATEGORICAL: { description: 'One of the codes of the feature.' },
  },
});
registerEnumType(MissingValuePolicy, {
  name: 'MissingValuePolicy',
  description: 'The rule of a model for a missing value.',
  valuesConfig: {
    REQUIRED: { description: 'Without this value there is no score.' },
    IMPUTE: { description: '`value` is used in its place, as in training.' },
    NATIVE: { description: 'The trees of the model decide where a missing value goes.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The range that a value must be in, both ends included.' })
class FeatureRange {
  @Field(() => Float, { description: 'The lowest value, in the unit of the feature.' })
  min!: number;

  @Field(() => Float, { description: 'The highest value, in the unit of the feature.' })
  max!: number;
}

@ObjectType({ simpleResolvers: true, description: 'One value of a categorical feature.' })
class FeatureCode {
  @Field(() => Float, { description: 'The number that callers give.' })
  value!: number;

  @Field(() => String, { nullable: true, description: "The model's own value when it takes text; null for a number." })
  text!: string | null;

  @Field(() => String, { description: 'The value as a person reads it.' })
  label!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The way in which a model takes a missing value.' })
class MissingValue {
  @Field(() => MissingValuePolicy, { description: 'The rule for a missing value.' })
  policy!: MissingValuePolicy;

  @Field(() => Float, { nullable: true, description: 'The value that is used for a missing one, under IMPUTE.' })
  value!: number | null;

  @Field(() => String, { nullable: true, description: 'The meaning of a missing value.' })
  meaning!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One named input of a risk model.' })
export class ModelFeature {
  @Field(() => String, {
    description: 'The name of the feature in inputs. The same code means the same feature in every model.',
  })
  code!: string;

  @Field(() => String, { description: 'The feature as a person reads it.' })
  label!: string;

  @Field(() => String, { nullable: true, description: 'A longer description.' })
  description!: string | null;

  @Field(() => String, { description: 'UCUM code.' })
  unit!: string;

  @Field(() => String, { description: 'The unit as a person reads it; may be empty.' })
  unitLabel!: string;

  @Field(() => FeatureKind, { description: 'The kind of its values.' })
  kind!: FeatureKind;

  @Field(() => FeatureRange, { nullable: true, description: 'The range of its values. Null when there is none.' })
  range!: FeatureRange | null;

  @Field(() => [FeatureCode], {
    nullable: true,
    description: 'The values of a categorical feature. Null for other kinds.',
  })
  codes!: FeatureCode[] | null;

  @Field(() => MissingValue, { description: 'The way in which the model takes a missing value.' })
  missing!: MissingValue;
}

@ObjectType({ simpleResolvers: true, description: 'A risk band, as one model defines it.' })
class RiskBandDefinition {
  @Field(() => RiskBand, { description: 'The band.' })
  band!: RiskBand;

  @Field(() => Float, {
    description: 'The lowest probability or quantity of the band. A quantity below the first band belongs to it too.',
  })
  from!: number;

  @Field(() => String, { description: 'The meaning of the band for this model.' })
  meaning!: string;
}

@ObjectType({ simpleResolvers: true, description: 'An answer that is no probability, e.g. a length of stay in days.' })
class Quantity {
  @Field(() => String, { description: 'UCUM code.' })
  unit!: string;

  @Field(() => String, { description: 'The unit as a person reads it; may be empty.' })
  unitLabel!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A measured quality of the model.' })
class ModelMetric {
  @Field(() => String, { description: 'Name of the metric, e.g. AUROC.' })
  name!: string;

  @Field(() => String, { description: 'The way it was estimated.' })
  method!: string;

  @Field(() => Float, { description: 'The measured value.' })
  value!: number;

  @Field(() => [Float], { nullable: true, description: 'Lower and upper end of the interval.' })
  confidenceInterval!: number[] | null;
}

@ObjectType({ simpleResolvers: true, description: 'Patients of similar predicted probability, and what happened.' })
class ReliabilityGroup {
  @Field(() => Int, { description: 'Number of patients.' })
  patients!: number;

  @Field(() => Float, { description: 'Mean predicted probability.' })
  predicted!: number;

  @Field(() => Float, { description: 'Share of the patients with the event.' })
  observed!: number;

  @Field(() => [Float], { description: 'Lower and upper end of the 95 % interval of the share.' })
  interval!: readonly number[];
}

@ObjectType({ simpleResolvers: true, description: 'How well predicted probabilities agree with what happened.' })
class Reliability {
  @Field(() => String, { description: 'The way it was estimated.' })
  method!: string;

  @Field(() => [ReliabilityGroup], { description: 'Lowest probability first.' })
  groups!: readonly ReliabilityGroup[];
}

@ObjectType({ simpleResolvers: true, description: 'A site whose patients trained the model.' })
class TrainingSite {
  @Field(() => String, { description: 'Name of the site.' })
  name!: string;

  @Field(() => Int, { description: 'Number of its patients.' })
  patients!: number;

  @Field(() => Int, { nullable: true, description: 'Null when the model gives a quantity.' })
  events!: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'The data and the algorithm that made the model.' })
class TrainingSummary {
  @Field(() => String, { description: 'The data set.' })
  data!: string;

  @Field(() => Int, { description: 'Number of patients.' })
  patients!: number;

  @Field(() => Int, { nullable: true, description: 'Null when the model gives a quantity.' })
  events!: number | null;

  @Field(() => String, { description: 'The algorithm and its main settings.' })
  algorithm!: string;

  @Field(() => [TrainingSite], { description: 'The sites of the data.' })
  sites!: TrainingSite[];
}

@ObjectType({ simpleResolvers: true, description: 'The importance of one feature over all training rows.' })
class FeatureImportance {
  @Field(() => ModelFeature, { description: 'The feature.' })
  feature!: ModelFeature;

  @Field(() => Float, { description: 'Mean |SHAP value| over the training rows.' })
  value!: number;
}

@ObjectType('RiskModel', {
  simpleResolvers: true,
  description: 'A versioned model, as its manifest and model card describe it.',
})
export class RiskModelType {
  @Field(() => ID, { description: 'The name of this version, `modelId@version`. No other version has it.' })
  id!: string;

  @Field(() => ID, { description: 'The same for every version of the model.' })
  modelId!: string;

  @Field(() => String, { description: 'Semantic version.' })
  version!: string;

  @Field(() => String, { description: 'SHA-256 of model.onnx.' })
  sha256!: string;

  @Field(() => String, { description: 'The model as a person reads it.' })
  name!: string;

  @Field(() => String, { description: 'What the model does.' })
  description!: string;

  @Field(() => String, { description: 'The use that the model was made for.' })
  intendedUse!: string;

  @Field(() => String, { description: 'The event that the probability is about, or the quantity.' })
  outcome!: string;

  @Field(() => OutputSpace, { description: 'The space of the raw output.' })
  outputSpace!: OutputSpace;

  @Field(() => Quantity, { nullable: true, description: 'Null when the model gives a probability.' })
  quantity!: Quantity | null;

  @Field(() => [String], { description: 'Names of the classes, in order; empty when the model has none.' })
  classes!: string[];

  @Field(() => String, { nullable: true, description: 'The class whose probability gives the risk band.' })
  riskClass!: string | null;

  @Field(() => [ShapMethod], { description: 'The methods by which this model can be explained, the default first.' })
  shapMethods!: ShapMethod[];

  @Field(() => [ModelFeature], { description: 'The inputs of the model, in its order.' })
  features!: ModelFeature[];

  @Field(() => [RiskBandDefinition], { description: 'The risk bands, lowest first.' })
  riskBands!: RiskBandDefinition[];

  @Field(() => [ModelMetric], { description: 'The qualities that were measured.' })
  metrics!: ModelMetric[];

  @Field(() => Reliability, { nullable: true, description: 'Null when the bundle has none.' })
  reliability!: Reliability | null;

  @Field(() => TrainingSummary, { description: 'The data and the algorithm that made it.' })
  training!: TrainingSummary;

  @Field(() => [FeatureImportance], { description: 'Largest first; empty when the bundle has none.' })
  globalImportance!: FeatureImportance[];

  @Field(() => String, { description: 'The model card, Markdown.' })
  card!: string;

  /** The served model, for the field resolvers. */
  source!: RiskModel;
}
