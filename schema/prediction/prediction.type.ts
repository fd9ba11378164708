import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Float, ID, ObjectType } from 'type-graphql';
import type { Prediction } from '../../models/index.js';
import type { Simulation } from '../../src/predictions/explanation-request.js';
import { connectionType } from '../common/connection.js';
import { ModelFeature, OutputSpace, RiskBand, RiskModelType, ShapMethod } from '../risk-model/risk-model.type.js';

@ObjectType({ simpleResolvers: true, description: 'One input of the model, as it was used.' })
export class FeatureValue {
  @Field(() => String, { description: 'Code of the feature, as in ModelFeature.code.' })
  code!: string;

  @Field(() => Float, { nullable: true, description: 'Null when it was missing.' })
  value!: number | null;

  @Field(() => String, { description: 'UCUM code.' })
  unit!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The amount by which one feature moved the output.' })
export class Contribution {
  @Field(() => ModelFeature, { description: 'The feature that contributes.' })
  feature!: ModelFeature;

  @Field(() => Float, { nullable: true, description: 'Null when it was missing.' })
  inputValue!: number | null;

  @Field(() => String, { description: 'The value as a person reads it, with its unit.' })
  displayValue!: string;

  @Field(() => Float, { description: "SHAP value, in the explanation's output space." })
  value!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The probability of one class.' })
export class ClassProbability {
  @Field(() => String, { description: 'Name of the class, as in RiskModel.classes.' })
  name!: string;

  @Field(() => Float, { description: 'Calibrated probability of the class.' })
  probability!: number;
}

/** The parts of an explanation that only its field resolvers read. */
interface ExplanationSource {
  readonly sorted: readonly Contribution[];
  readonly waterfall: () => string;
}

@ObjectType({
  simpleResolvers: true,
  description: 'SHAP values: baseValue + the sum of all contributions = outputValue.',
})
export class Explanation {
  @Field(() => ShapMethod, { description: 'The method by which the values were computed.' })
  method!: ShapMethod;

  @Field(() => OutputSpace, {
    description: 'The space in which the contributions add up, which is that of the raw output.',
  })
  outputSpace!: OutputSpace;

  @Field(() => String, { nullable: true, description: 'The class that is explained. Null when the model has none.' })
  class!: string | null;

  @Field(() => Float, { description: 'Expected output without any feature, in the output space.' })
  baseValue!: number;

  @Field(() => Float, { description: 'Output for this patient, in the output space.' })
  outputValue!: number;

  @Field(() => Float, { description: '|baseValue + sum of contributions - outputValue|' })
  additivityError!: number;

  /** Read by the field resolvers. */
  source!: ExplanationSource;
}

@ObjectType('Prediction', { simpleResolvers: true, description: 'One patient scored once by one model version.' })
export class PredictionType {
  @Field(() => ID, { description: 'Id of the prediction.' })
  id!: string;

  @Field(() => GraphQLDateTime, { description: 'Time when the prediction was stored.' })
  createdAt!: Date;

  @Field(() => Float, { description: "The model's answer in `unit`: the probability, or the quantity." })
  value!: number;

  @Field(() => String, { description: 'UCUM code of `value`; 1 for a probability.' })
  unit!: string;

  @Field(() => Float, { nullable: true, description: 'Calibrated probability. Null when the model gives a quantity.' })
  probability!: number | null;

  @Field(() => [ClassProbability], {
    description:
      'Every class, in the order of the model; empty when it has none. `probability` is that of the risk class.',
  })
  classes!: ClassProbability[];

  @Field(() => Float, {
    description: "The model's own output before calibration or link, which the explanation explains.",
  })
  rawOutput!: number;

  @Field(() => RiskBand, { description: 'The band of the probability or quantity.' })
  riskBand!: RiskBand;

  @Field(() => [FeatureValue], { description: 'The inputs as the model used them, in its order.' })
  inputs!: FeatureValue[];

  @Field(() => ID, { description: 'The patient that was scored. It is here also when `patient` is null.' })
  patientId!: string;

  @Field(() => ID, { description: 'The job that scored. It is here also when `job` is null.' })
  jobId!: string;

  @Field(() => ID, { description: 'The model that scored.' })
  modelId!: string;

  @Field(() => String, { description: 'The version of the model that scored.' })
  modelVersion!: string;

  @Field(() => String, { description: 'SHA-256 of the model that scored.' })
  modelSha256!: string;

  /** The stored prediction. The field resolvers read patient, job, model and explanation from it. */
  source!: Prediction;

  /** The event of the subscription that sends the prediction. */
  event?: { readonly cursor: string };
}

export const PredictionConnection = connectionType(PredictionType, 'Prediction');
export type PredictionConnection = InstanceType<typeof PredictionConnection>;

@ObjectType({
  simpleResolvers: true,
  description: 'The result of computing a stored prediction again, from its stored inputs and the model that it names.',
})
export class PredictionVerification {
  @Field(() => Boolean, {
    description: 'True when every bit agrees. False when a bit differs, or when the prediction could not be computed.',
  })
  agrees!: boolean;

  @Field(() => Boolean, {
    description:
      'True when the model that scored is served, by its SHA-256. Without that model nothing can be computed.',
  })
  modelServed!: boolean;

  @Field(() => String, { description: 'SHA-256 of the model that scored.' })
  modelSha256!: string;

  @Field(() => [String], { description: 'The values that differ, e.g. explanation.contributions[3].' })
  differences!: string[];
}

@ObjectType('RiskSimulation', {
  simpleResolvers: true,
  description: 'A score that was computed now, and is not stored.',
})
export class RiskSimulationType {
  @Field(() => RiskModelType, { description: 'The model version that scored.' })
  model!: RiskModelType;

  @Field(() => Float, { description: "The model's answer in `unit`: the probability, or the quantity." })
  value!: number;

  @Field(() => String, { description: 'UCUM code of `value`; 1 for a probability.' })
  unit!: string;

  @Field(() => Float, { nullable: true, description: 'Null when the model gives a quantity.' })
  probability!: number | null;

  @Field(() => [ClassProbability], { description: 'Every class, in the order of the model; empty when it has none.' })
  classes!: ClassProbability[];

  @Field(() => Float, { description: "The model's own output before calibration or link." })
  rawOutput!: number;

  @Field(() => RiskBand, { description: 'The band of the probability or quantity.' })
  riskBand!: RiskBand;

  @Field(() => [FeatureValue], { description: 'The inputs as the model used them, in its order.' })
  inputs!: FeatureValue[];

  /** Read by the field resolvers. */
  source!: Simulation;
}
