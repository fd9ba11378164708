import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Float, ID, InputType } from 'type-graphql';
import { FeatureValueInput } from '../patient/patient.input.js';
import { RiskBand } from '../risk-model/risk-model.type.js';

@InputType({ description: 'All conditions must hold.' })
export class PredictionFilter {
  @Field(() => ID, { nullable: true, description: 'Predictions of this patient.' })
  patientId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Predictions of this job.' })
  jobId?: string | null;

  @Field(() => ID, { nullable: true, description: 'A RiskModel.modelId, or the RiskModel.id of one version.' })
  modelId?: string | null;

  @Field(() => String, { nullable: true, description: 'Predictions of this version. Give modelId too.' })
  modelVersion?: string | null;

  @Field(() => [RiskBand], { nullable: true, description: 'Any of these.' })
  riskBands?: RiskBand[] | null;

  @Field(() => Float, { nullable: true, description: 'Leaves out predictions of quantities.' })
  minimumProbability?: number | null;

  @Field(() => Float, { nullable: true, description: 'Leaves out predictions of quantities.' })
  maximumProbability?: number | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Predictions that were stored after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Predictions that were stored before this time.' })
  createdBefore?: Date | null;
}

@InputType({
  description:
    "Scores the patient's values, if a patient is named; that needs the right to read patients. The features given " +
    "here replace the patient's.",
})
export class SimulateRiskInput {
  @Field(() => ID, { description: 'A RiskModel.modelId, or the RiskModel.id of one version.' })
  modelId!: string;

  @Field(() => String, { nullable: true, description: 'The default version when absent.' })
  modelVersion?: string | null;

  @Field(() => ID, { nullable: true, description: 'The patient whose values are the starting point.' })
  patientId?: string | null;

  @Field(() => [FeatureValueInput], { nullable: true, description: 'Values that replace those of the patient.' })
  features?: FeatureValueInput[] | null;
}
