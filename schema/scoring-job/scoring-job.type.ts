import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JobStage, ScoringJobKind, ScoringJobState, type ScoringJob } from '../../models/index.js';
import { ErrorCode } from '../../src/errors.js';
import { connectionType } from '../common/connection.js';

registerEnumType(ErrorCode, {
  name: 'ErrorCode',
  description: 'The kind of an error: `extensions.code` of every error, and the reason of a job that failed.',
  valuesConfig: {
    UNAUTHENTICATED: { description: 'There is no credential, or it is not valid, has ended or was revoked.' },
    INVALID_CREDENTIALS: { description: 'A login with a wrong organization, username or password.' },
    FORBIDDEN: { description: 'The role, the scopes or the care team do not allow it.' },
    NOT_FOUND: { description: 'There is none in the organization of the caller.' },
    BAD_USER_INPUT: { description: 'The input is wrong. `extensions.fields` has every issue.' },
    CONFLICT: { description: 'It has changed since, is taken, or its state does not allow it.' },
    RATE_LIMITED: {
      description: 'Too much at once or per time. `extensions.retryAfterSeconds` says when to try again.',
    },
    QUERY_TOO_COMPLEX: { description: 'The operation asks for more than one request may.' },
    SERVICE_UNAVAILABLE: { description: 'Something is away or full for now: try again.' },
    INTERNAL: { description: 'An error of the server. The log has the rest, under `extensions.correlationId`.' },
    WORKER_LOST: { description: 'Only of a job: its workers died. It can be retried.' },
  },
});
registerEnumType(ScoringJobKind, {
  name: 'ScoringJobKind',
  description: 'The number of patients that a job is about.',
  valuesConfig: {
    SINGLE: { description: 'One patient.' },
    BATCH: { description: 'Many patients, up to 1,000,000.' },
  },
});
registerEnumType(ScoringJobState, {
  name: 'ScoringJobState',
  description: 'COMPLETED, FAILED and CANCELLED are terminal.',
  valuesConfig: {
    QUEUED: { description: 'The job waits for a worker.' },
    ACTIVE: { description: 'A worker runs the job.' },
    COMPLETED: { description: 'The job is done. Of a batch, single patients may have failed.' },
    FAILED: { description: 'The job ended without a prediction. It can be retried.' },
    CANCELLED: { description: 'A caller ended the job. It can be retried.' },
  },
});
registerEnumType(JobStage, {
  name: 'JobStage',
  description: 'The step that a job is in.',
  valuesConfig: {
    WAITING: { description: 'No worker has it.' },
    ENCODING: { description: 'The values of the patients are read and encoded.' },
    SCORING: { description: 'The model scores.' },
    EXPLAINING: { description: 'The explanations are computed.' },
    SAVING: { description: 'The predictions are stored.' },
    DONE: { description: 'Nothing is left to do.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The progress of a job.' })
class JobProgress {
  @Field(() => JobStage, { description: 'The step that the job is in.' })
  stage!: JobStage;

  @Field(() => Int, { description: 'Patients that are done, including those that failed.' })
  processed!: number;

  @Field(() => Int, { description: 'Number of patients of the job.' })
  total!: number;

  @Field(() => Float, { description: 'From 0 to 100.' })
  percent!: number;

  @Field(() => Int, { description: 'Patients that are done without a prediction.' })
  failed!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The reason why a job failed, or why its last attempt did.' })
export class JobError {
  @Field(() => ErrorCode, { description: 'The kind of the reason.' })
  code!: string;

  @Field(() => String, {
    description: 'The values of a patient are named only to callers who may read predictions.',
  })
  message!: string;
}

@ObjectType('JobTransition', { simpleResolvers: true, description: 'A change of the state or attempt of a job.' })
export class JobTransitionType {
  @Field(() => ScoringJobState, { description: 'The state after the change.' })
  state!: ScoringJobState;

  @Field(() => Int, { description: 'Number of runs that were begun by then.' })
  attempt!: number;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Time of the change. Null for some changes that an earlier release stored.',
  })
  at!: Date | null;

  @Field(() => ErrorCode, {
    nullable: true,
    description: 'Why the run before it failed: of a job that waits again, or that failed.',
  })
  errorCode!: string | null;
}

@ObjectType('PatientFailure', {
  simpleResolvers: true,
  description: 'One patient of a batch that could not be scored.',
})
export class PatientFailureType {
  @Field(() => ID, { description: 'Id of the patient.' })
  patientId!: string;

  @Field(() => ErrorCode, { description: 'The kind of the reason.' })
  code!: string;

  @Field(() => String, { description: 'The reason why the patient has no prediction.' })
  message!: string;
}

export const PatientFailureConnection = connectionType(PatientFailureType, 'PatientFailure');
export type PatientFailureConnection = InstanceType<typeof PatientFailureConnection>;

@ObjectType('ScoringJob', { simpleResolvers: true, description: 'A request to score one patient or many.' })
export class ScoringJobType {
  @Field(() => ID, { description: 'Id of the job.' })
  id!: string;

  @Field(() => ScoringJobKind, { description: 'Whether the job scores one patient or many.' })
  kind!: ScoringJobKind;

  @Field(() => ScoringJobState, { description: 'The state of the job.' })
  state!: ScoringJobState;

  @Field(() => JobProgress, { description: 'The progress of the job.' })
  progress!: JobProgress;

  @Field(() => Int, { description: 'Number of runs that were begun.' })
  attempts!: number;

  @Field(() => Int, { description: 'Number of the latest change.' })
  sequence!: number;

  @Field(() => Int, { description: '0 runs first, 10 last.' })
  priority!: number;

  @Field(() => GraphQLDateTime, { description: 'Time when the job was accepted.' })
  submittedAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time when a worker first began it.' })
  startedAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time when it reached its terminal state.' })
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

  @Field(() => ScoringJobType, { description: 'The job right after the change.' })
  job!: ScoringJobType;
}
