import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType, Int } from 'type-graphql';
import { ScoringJobKind, ScoringJobState } from '../../models/index.js';
import { PatientFilter } from '../patient/patient.input.js';

@InputType()
abstract class JobOptions {
  @Field(() => ID)
  modelId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The highest when absent. The job keeps the version it was submitted for.',
  })
  modelVersion?: string | null;

  @Field(() => String, { nullable: true, description: 'The same key gives the same job, however often it is sent.' })
  idempotencyKey?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: '0 goes first, 10 last; 5 when absent. Single jobs always overtake batches.',
  })
  priority?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Store SHAP values with each prediction (true when absent); otherwise they are computed when asked for.',
  })
  explain?: boolean | null;
}

@InputType()
export class SubmitScoringJobInput extends JobOptions {
  @Field(() => ID)
  patientId!: string;
}

@InputType({ description: 'Give exactly one of patientIds, filter, or all: true.' })
export class SubmitBatchScoringJobInput extends JobOptions {
  @Field(() => [ID], { nullable: true })
  patientIds?: string[] | null;

  @Field(() => PatientFilter, { nullable: true })
  filter?: PatientFilter | null;

  @Field(() => Boolean, { nullable: true })
  all?: boolean | null;
}

@InputType({ description: 'All conditions must hold.' })
export class ScoringJobFilter {
  @Field(() => [ScoringJobState], { nullable: true, description: 'Any of these.' })
  states?: ScoringJobState[] | null;

  @Field(() => ScoringJobKind, { nullable: true })
  kind?: ScoringJobKind | null;

  @Field(() => ID, { nullable: true })
  patientId?: string | null;

  @Field(() => ID, { nullable: true })
  modelId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  submittedAfter?: Date | null;
}
