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
registerEnumType(RiskBand, { name: 'RiskBand', description: 'The risk model says what each band means.' });
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
registerEnumType(ShapMethod, { name: 'ShapMethod' });
registerEnumType(FeatureKind, { name: 'FeatureKind' });
registerEnumType(MissingValuePolicy, {
  name: 'MissingValuePolicy',
  valuesConfig: {
    REQUIRED: { description: 'Without this value there is no score.' },
    IMPUTE: { description: '`value` is used in its place, as in training.' },
    NATIVE: { description: 'The trees of the model decide where a missing value goes.' },
  },
});

@ObjectType({ simpleResolvers: true })
class FeatureRange {
  @Field(() => Float)
  min!: number;

  @Field(() => Float)
  max!: number;
}

@ObjectType({ simpleResolvers: true })
class FeatureCode {
  @Field(() => Float, { description: 'The number that callers give.' })
  value!: number;

  @Field(() => String, { nullable: true, description: "The model's own value when it takes text; null for a number." })
  text!: string | null;

  @Field(() => String)
  label!: string;
}

@ObjectType({ simpleResolvers: true })
class MissingValue {
  @Field(() => MissingValuePolicy)
  policy!: MissingValuePolicy;

  @Field(() => Float, { nullable: true })
  value!: number | null;

  @Field(() => String, { nullable: true })
  meaning!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One named input of a risk model.' })
export class ModelFeature {
  @Field(() => String)
  code!: string;

  @Field(() => String)
  label!: string;

  @Field(() => String, { nullable: true })
  description!: string | null;

  @Field(() => String, { description: 'UCUM code.' })
  unit!: string;

  @Field(() => String, { description: 'The unit as a person reads it; may be empty.' })
  unitLabel!: string;

  @Field(() => FeatureKind)
  kind!: FeatureKind;

  @Field(() => FeatureRange, { nullable: true })
  range!: FeatureRange | null;

  @Field(() => [FeatureCode], { nullable: true })
  codes!: FeatureCode[] | null;

  @Field(() => MissingValue)
  missing!: MissingValue;
}

@ObjectType({ simpleResolvers: true })
class RiskBandDefinition {
  @Field(() => RiskBand)
  band!: RiskBand;

  @Field(() => Float, {
    description: 'The lowest probability or quantity of the band. A quantity below the first band belongs to it too.',
  })
  from!: number;

  @Field(() => String)
  meaning!: string;
}

@ObjectType({ simpleResolvers: true, description: 'An answer that is no probability, e.g. a length of stay in days.' })
class Quantity {
  @Field(() => String, { description: 'UCUM code.' })
  unit!: string;

  @Field(() => String, { description: 'The unit as a person reads it; may be empty.' })
  unitLabel!: string;
}

@ObjectType({ simpleResolvers: true })
class ModelMetric {
  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'The way it was estimated.' })
  method!: string;

  @Field(() => Float)
  value!: number;

  @Field(() => [Float], { nullable: true, description: 'Lower and upper end of the interval.' })
  confidenceInterval!: number[] | null;
}

@ObjectType({ simpleResolvers: true })
class TrainingSite {
  @Field(() => String)
  name!: string;

  @Field(() => Int)
  patients!: number;

  @Field(() => Int, { nullable: true, description: 'Null when the model gives a quantity.' })
  events!: number | null;
}

@ObjectType({ simpleResolvers: true })
class TrainingSummary {
  @Field(() => String)
  data!: string;

  @Field(() => Int)
  patients!: number;

  @Field(() => Int, { nullable: true, description: 'Null when the model gives a quantity.' })
  events!: number | null;

  @Field(() => String)
  algorithm!: string;

  @Field(() => [TrainingSite])
  sites!: TrainingSite[];
}

@ObjectType({ simpleResolvers: true })
class FeatureImportance {
  @Field(() => ModelFeature)
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

  @Field(() => String)
  version!: string;

  @Field(() => String, { description: 'SHA-256 of model.onnx.' })
  sha256!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => String)
  intendedUse!: string;

  @Field(() => String, { description: 'The event that the probability is about, or the quantity.' })
  outcome!: string;

  @Field(() => OutputSpace)
  outputSpace!: OutputSpace;

  @Field(() => Quantity, { nullable: true, description: 'Null when the model gives a probability.' })
  quantity!: Quantity | null;

  @Field(() => [String], { description: 'Names of the classes, in order; empty when the model has none.' })
  classes!: string[];

  @Field(() => String, { nullable: true, description: 'The class whose probability gives the risk band.' })
  riskClass!: string | null;

  @Field(() => [ShapMethod], { description: 'The methods by which this model can be explained, the default first.' })
  shapMethods!: ShapMethod[];

  @Field(() => [ModelFeature])
  features!: ModelFeature[];

  @Field(() => [RiskBandDefinition])
  riskBands!: RiskBandDefinition[];

  @Field(() => [ModelMetric])
  metrics!: ModelMetric[];

  @Field(() => TrainingSummary)
  training!: TrainingSummary;

  @Field(() => [FeatureImportance], { description: 'Largest first; empty when the bundle has none.' })
  globalImportance!: FeatureImportance[];

  @Field(() => String, { description: 'The model card, Markdown.' })
  card!: string;

  /** The served model, for the field resolvers. */
  source!: RiskModel;
}
