import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JobStage, ScoringJobKind, ScoringJobState, type ScoringJob } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

registerEnumType(ScoringJobKind, { name: 'ScoringJobKind' });
registerEnumType(ScoringJobState, {
  name: 'ScoringJobState',
  description: 'COMPLETED, FAILED and CANCELLED are terminal.',
});
registerEnumType(JobStage, { name: 'JobStage' });

@ObjectType({ simpleResolvers: true })
class JobProgress {
  @Field(() => JobStage)
  stage!: JobStage;

  @Field(() => Int, { description: 'Patients that are done, including those that failed.' })
  processed!: number;

  @Field(() => Int)
  total!: number;

  @Field(() => Float, { description: 'From 0 to 100.' })
  percent!: number;

  @Field(() => Int, { description: 'Patients that are done without a prediction.' })
  failed!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The reason why a job failed, or why its last attempt did.' })
export class JobError {
  @Field(() => String)
  code!: string;

  @Field(() => String, {
    description: 'The values of a patient are named only to callers who may read predictions.',
  })
  message!: string;
}

@ObjectType('PatientFailure', {
  simpleResolvers: true,
  description: 'One patient of a batch that could not be scored.',
})
export class PatientFailureType {
  @Field(() => ID)
  patientId!: string;

  @Field(() => String)
  code!: string;

  @Field(() => String)
  message!: string;
}

export const PatientFailureConnection = connectionType(PatientFailureType, 'PatientFailure');
export type PatientFailureConnection = InstanceType<typeof PatientFailureConnection>;

@ObjectType('ScoringJob', { simpleResolvers: true, description: 'A request to score one patient or many.' })
export class ScoringJobType {
  @Field(() => ID)
  id!: string;

  @Field(() => ScoringJobKind)
  kind!: ScoringJobKind;

  @Field(() => ScoringJobState)
  state!: ScoringJobState;

  @Field(() => JobProgress)
  progress!: JobProgress;

  @Field(() => Int, { description: 'Number of runs that were begun.' })
  attempts!: number;

  @Field(() => Int, { description: 'Number of the latest change.' })
  sequence!: number;

  @Field(() => Int, { description: '0 runs first, 10 last.' })
  priority!: number;

  @Field(() => GraphQLDateTime)
  submittedAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true })
  startedAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  finishedAt!: Date | null;

  @Field(() => String, { description: 'Username of the submitter.' })
  submittedBy!: string;

  @Field(() => ID, { description: 'The model that the job was submitted for.' })
  modelId!: string;

  @Field(() => String, { description: 'The version of the model that the job was submitted for.' })
  modelVersion!: string;

  /** The stored job, for the field resolvers. */
  source!: ScoringJob;
}

export const ScoringJobConnection = connectionType(ScoringJobType, 'ScoringJob');
export type ScoringJobConnection = InstanceType<typeof ScoringJobConnection>;

@ObjectType({ simpleResolvers: true, description: 'A job after one of its changes.' })
export class ScoringJobEvent {
  @Field(() => Int, { description: 'Number of the change; the first of a job is 1.' })
  sequence!: number;

  @Field(() => Int, {
    description: 'Number of earlier changes that have no event of their own: sequence = previous + 1 + collapsed.',
  })
  collapsed!: number;

  @Field(() => ScoringJobType)
  job!: ScoringJobType;
}
