import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType, Int } from 'type-graphql';
import { ScoringJobKind, ScoringJobState } from '../../models/index.js';
import { PatientFilter } from '../patient/patient.input.js';

@InputType()
abstract class JobOptions {
  @Field(() => ID, { description: 'A RiskModel.modelId, or the RiskModel.id of one version.' })
  modelId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The default version when absent. The job keeps the version that it was submitted for.',
  })
  modelVersion?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Requests of one user or API key with the same key get the same job.',
  })
  idempotencyKey?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: '0 runs first, 10 last; 5 when absent. Single jobs always run before batches.',
  })
  priority?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True, or absent: SHAP values are stored with each prediction. False: they are computed when a caller asks ' +
      'for them.',
  })
  explain?: boolean | null;
}

@InputType({ description: 'A job for one patient.' })
export class SubmitScoringJobInput extends JobOptions {
  @Field(() => ID, { description: 'The patient to score.' })
  patientId!: string;
}

@InputType({ description: 'Give exactly one of patientIds, filter, or all: true.' })
export class SubmitBatchScoringJobInput extends JobOptions {
  @Field(() => [ID], { nullable: true, description: 'Ids of the patients, up to 100,000.' })
  patientIds?: string[] | null;

  @Field(() => PatientFilter, { nullable: true, description: 'Every patient that matches now.' })
  filter?: PatientFilter | null;

  @Field(() => Boolean, { nullable: true, description: 'True: every patient that the caller may see now.' })
  all?: boolean | null;
}

@InputType({ description: 'All conditions must hold.' })
export class ScoringJobFilter {
  @Field(() => [ScoringJobState], { nullable: true, description: 'Any of these.' })
  states?: ScoringJobState[] | null;

  @Field(() => ScoringJobKind, { nullable: true, description: 'Jobs of one patient, or batches.' })
  kind?: ScoringJobKind | null;

  @Field(() => ID, { nullable: true, description: 'Jobs of this patient. It needs the right to read predictions.' })
  patientId?: string | null;

  @Field(() => ID, { nullable: true, description: 'A RiskModel.modelId, or the RiskModel.id of one version.' })
  modelId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Jobs that were submitted after this time.' })
  submittedAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Jobs that were submitted before this time.' })
  submittedBefore?: Date | null;

  @Field(() => String, { nullable: true, description: 'Username of the submitter.' })
  submittedBy?: string | null;
}
