/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** FHIR's administrative gender. */
export type AdministrativeGender =
  /** Female. */
  | 'FEMALE'
  /** Male. */
  | 'MALE'
  /** Other. */
  | 'OTHER'
  /** Not known. */
  | 'UNKNOWN';

/** The kind of an error: `extensions.code` of every error, and the reason of a job that failed. */
export type ErrorCode =
  /** The input is wrong. `extensions.fields` has every issue. */
  | 'BAD_USER_INPUT'
  /** It has changed since, is taken, or its state does not allow it. */
  | 'CONFLICT'
  /** The role, the scopes or the care team do not allow it. */
  | 'FORBIDDEN'
  /** An error of the server. The log has the rest, under `extensions.correlationId`. */
  | 'INTERNAL'
  /** A login with a wrong organization, username or password. */
  | 'INVALID_CREDENTIALS'
  /** There is none in the organization of the caller. */
  | 'NOT_FOUND'
  /** The operation asks for more than one request may. */
  | 'QUERY_TOO_COMPLEX'
  /** Too much at once or per time. `extensions.retryAfterSeconds` says when to try again. */
  | 'RATE_LIMITED'
  /** Something is away or full for now: try again. */
  | 'SERVICE_UNAVAILABLE'
  /** There is no credential, or it is not valid, has ended or was revoked. */
  | 'UNAUTHENTICATED'
  /** Only of a job: its workers died. It can be retried. */
  | 'WORKER_LOST';

/** The kind of values of a feature. */
export type FeatureKind =
  /** 0 or 1. */
  | 'BINARY'
  /** One of the codes of the feature. */
  | 'CATEGORICAL'
  /** Any number in the range. */
  | 'CONTINUOUS'
  /** A whole number in the range. */
  | 'COUNT';

/** The step that a job is in. */
export type JobStage =
  /** Nothing is left to do. */
  | 'DONE'
  /** The values of the patients are read and encoded. */
  | 'ENCODING'
  /** The explanations are computed. */
  | 'EXPLAINING'
  /** The predictions are stored. */
  | 'SAVING'
  /** The model scores. */
  | 'SCORING'
  /** No worker has it. */
  | 'WAITING';

/** The space in which contributions add up. */
export type OutputSpace =
  /** The quantity itself, in its unit. */
  | 'IDENTITY'
  /** The natural logarithm of the quantity. */
  | 'LOG'
  /** The log-odds of the probability. Of several classes: the margin of one before softmax. */
  | 'LOG_ODDS'
  /** The probability itself, before calibration. */
  | 'PROBABILITY';

/** All conditions must hold. */
export type PatientFilter = {
  /** Patients that were created after this time. */
  createdAfter?: string | null | undefined;
  /** The whole name, in upper or lower case. */
  familyName?: string | null | undefined;
  /** The first 2 to 10 characters of the family name, in upper or lower case. Needs prefix search, which an operator switches on. Not together with `mrnPrefix`. */
  familyNamePrefix?: string | null | undefined;
  /** The model whose latest results the other conditions and the order are about: a RiskModel.modelId, or the RiskModel.id of one version. Alone: patients with a result of it. Absent: the WORKLIST_MODEL of the deployment, else the only model. */
  latestModelId?: string | null | undefined;
  /** Any of these is the band of the latest result. */
  latestRiskBands?: Array<RiskBand> | null | undefined;
  /** Highest latest probability. Leaves out quantities. */
  maximumLatestProbability?: number | null | undefined;
  /** Lowest latest probability. Leaves out quantities. */
  minimumLatestProbability?: number | null | undefined;
  /** The whole medical record number. */
  mrn?: string | null | undefined;
  /** The first 2 to 12 characters of the MRN. Needs prefix search, which an operator switches on. */
  mrnPrefix?: string | null | undefined;
  /** The administrative gender. It needs the right to read patients. */
  sex?: AdministrativeGender | null | undefined;
  /** Patients that were changed after this time. */
  updatedAfter?: string | null | undefined;
};

/** The risk model says what each band means. */
export type RiskBand =
  /** The band above MODERATE. */
  | 'HIGH'
  /** The lowest band. */
  | 'LOW'
  /** The band above LOW. */
  | 'MODERATE'
  /** The highest band. */
  | 'VERY_HIGH';

/** The role of a caller, which decides what the caller may do. */
export type Role =
  /** Manages users, models and queues; sees no patient data. */
  | 'ADMIN'
  /** Reads predictions without names, MRN or birth date. */
  | 'ANALYST'
  /** Reads and writes patients, submits and reads jobs. */
  | 'CLINICIAN'
  /** Submits jobs and reads results. */
  | 'SERVICE';

/** All conditions must hold. */
export type ScoringJobFilter = {
  /** Jobs of one patient, or batches. */
  kind?: ScoringJobKind | null | undefined;
  /** A RiskModel.modelId, or the RiskModel.id of one version. */
  modelId?: string | null | undefined;
  /** Jobs of this patient. It needs the right to read predictions. */
  patientId?: string | null | undefined;
  /** Any of these. */
  states?: Array<ScoringJobState> | null | undefined;
  /** Jobs that were submitted after this time. */
  submittedAfter?: string | null | undefined;
  /** Jobs that were submitted before this time. */
  submittedBefore?: string | null | undefined;
  /** Username of the submitter. */
  submittedBy?: string | null | undefined;
};

/** The number of patients that a job is about. */
export type ScoringJobKind =
  /** Many patients, up to 1,000,000. */
  | 'BATCH'
  /** One patient. */
  | 'SINGLE';

/** COMPLETED, FAILED and CANCELLED are terminal. */
export type ScoringJobState =
  /** A worker runs the job. */
  | 'ACTIVE'
  /** A caller ended the job. It can be retried. */
  | 'CANCELLED'
  /** The job is done. Of a batch, single patients may have failed. */
  | 'COMPLETED'
  /** The job ended without a prediction. It can be retried. */
  | 'FAILED'
  /** The job waits for a worker. */
  | 'QUEUED';

/** Give exactly one of patientIds, filter, or all: true. */
export type SubmitBatchScoringJobInput = {
  /** True: every patient that the caller may see now. */
  all?: boolean | null | undefined;
  /** True, or absent: SHAP values are stored with each prediction. False: they are computed when a caller asks for them. */
  explain?: boolean | null | undefined;
  /** Every patient that matches now. */
  filter?: PatientFilter | null | undefined;
  /** Requests of one user or API key with the same key get the same job. */
  idempotencyKey?: string | null | undefined;
  /** A RiskModel.modelId, or the RiskModel.id of one version. */
  modelId: string;
  /** The default version when absent. The job keeps the version that it was submitted for. */
  modelVersion?: string | null | undefined;
  /** Ids of the patients, up to 100,000. */
  patientIds?: Array<string> | null | undefined;
  /** 0 runs first, 10 last; 5 when absent. Single jobs always run before batches. */
  priority?: number | null | undefined;
};

export type ConsoleViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleViewerQuery = { viewer: { __typename: 'Viewer', username: string, role: Role, permissions: Array<string>, organization: { __typename: 'Organization', id: string, slug: string, name: string } } };

export type ConsoleCohortModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleCohortModelsQuery = { riskModels: Array<{ __typename: 'RiskModel', id: string, modelId: string, version: string, name: string, isDefault: boolean, quantity: { __typename: 'Quantity', unit: string } | null, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand }> }> };

export type ConsoleCohortCountQueryVariables = Exact<{
  filter?: PatientFilter | null | undefined;
}>;


export type ConsoleCohortCountQuery = { patients: { __typename: 'PatientConnection', totalCount: number } };

export type ConsoleSubmitBatchMutationVariables = Exact<{
  input: SubmitBatchScoringJobInput;
}>;


export type ConsoleSubmitBatchMutation = { submitBatchScoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } };

export type ConsoleCohortQueryVariables = Exact<{
  id: string;
}>;


export type ConsoleCohortQuery = { scoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, model: { __typename: 'RiskModel', id: string, name: string, outcome: string, intendedUse: string, outputSpace: OutputSpace, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, features: Array<{ __typename: 'ModelFeature', code: string, label: string, unitLabel: string, kind: FeatureKind, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null }>, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand, from: number, meaning: string }> } | null, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } | null };

export type ShownJobFragment = { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null };

export type ConsoleJobsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: ScoringJobFilter | null | undefined;
}>;


export type ConsoleJobsQuery = { scoringJobs: { __typename: 'ScoringJobConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'ScoringJobEdge', node: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } }> } };

export type ConsoleJobsUpdatedSubscriptionVariables = Exact<{
  filter?: ScoringJobFilter | null | undefined;
}>;


export type ConsoleJobsUpdatedSubscription = { scoringJobsUpdated: { __typename: 'ScoringJobEvent', sequence: number, collapsed: number, job: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } } };

export type ConsoleJobQueryVariables = Exact<{
  id: string;
}>;


export type ConsoleJobQuery = { scoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, patient: { __typename: 'Patient', id: string } | null, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } | null };

export type ConsoleJobFailuresQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConsoleJobFailuresQuery = { scoringJob: { __typename: 'ScoringJob', id: string, failureConnection: { __typename: 'PatientFailureConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'PatientFailureEdge', node: { __typename: 'PatientFailure', patientId: string, code: ErrorCode, message: string } }> } | null } | null };

export type ConsoleJobUpdatedSubscriptionVariables = Exact<{
  id: string;
  after?: number | null | undefined;
}>;


export type ConsoleJobUpdatedSubscription = { scoringJobUpdated: { __typename: 'ScoringJobEvent', sequence: number, collapsed: number, job: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } } };

export type ConsoleRetryJobMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleRetryJobMutation = { retryScoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } };

export type ConsoleCancelJobMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleCancelJobMutation = { cancelScoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ShownJobFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`, {"fragmentName":"ShownJob"}) as unknown as TypedDocumentString<ShownJobFragment, unknown>;
export const ConsoleViewerDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleViewer { viewer { __typename username role permissions organization { __typename id slug name } } }`) as unknown as TypedDocumentString<ConsoleViewerQuery, ConsoleViewerQueryVariables>;
export const ConsoleCohortModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohortModels { riskModels { __typename id modelId version name isDefault quantity { __typename unit } riskBands { __typename band } } }`) as unknown as TypedDocumentString<ConsoleCohortModelsQuery, ConsoleCohortModelsQueryVariables>;
export const ConsoleCohortCountDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohortCount($filter: PatientFilter) { patients(filter: $filter, first: 1) { __typename totalCount } }`) as unknown as TypedDocumentString<ConsoleCohortCountQuery, ConsoleCohortCountQueryVariables>;
export const ConsoleSubmitBatchDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleSubmitBatch($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { __typename ...ShownJob } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleSubmitBatchMutation, ConsoleSubmitBatchMutationVariables>;
export const ConsoleCohortDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohort($id: ID!) { scoringJob(id: $id) { __typename ...ShownJob model { __typename id name outcome intendedUse outputSpace quantity { __typename unit unitLabel } features { __typename code label unitLabel kind codes { __typename value label } } riskBands { __typename band from meaning } } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleCohortQuery, ConsoleCohortQueryVariables>;
export const ConsoleJobsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJobs($first: Int, $after: String, $filter: ScoringJobFilter) { scoringJobs(first: $first, after: $after, filter: $filter) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename ...ShownJob } } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobsQuery, ConsoleJobsQueryVariables>;
export const ConsoleJobsUpdatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription ConsoleJobsUpdated($filter: ScoringJobFilter) { scoringJobsUpdated(filter: $filter) { __typename sequence collapsed job { __typename ...ShownJob } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobsUpdatedSubscription, ConsoleJobsUpdatedSubscriptionVariables>;
export const ConsoleJobDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJob($id: ID!) { scoringJob(id: $id) { __typename ...ShownJob patient { __typename id } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobQuery, ConsoleJobQueryVariables>;
export const ConsoleJobFailuresDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJobFailures($id: ID!, $first: Int, $after: String) { scoringJob(id: $id) { __typename id failureConnection(first: $first, after: $after) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename patientId code message } } } } }`) as unknown as TypedDocumentString<ConsoleJobFailuresQuery, ConsoleJobFailuresQueryVariables>;
export const ConsoleJobUpdatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription ConsoleJobUpdated($id: ID!, $after: Int) { scoringJobUpdated(id: $id, after: $after) { __typename sequence collapsed job { __typename ...ShownJob } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobUpdatedSubscription, ConsoleJobUpdatedSubscriptionVariables>;
export const ConsoleRetryJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRetryJob($id: ID!) { retryScoringJob(id: $id) { __typename ...ShownJob } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleRetryJobMutation, ConsoleRetryJobMutationVariables>;
export const ConsoleCancelJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleCancelJob($id: ID!) { cancelScoringJob(id: $id) { __typename ...ShownJob } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleCancelJobMutation, ConsoleCancelJobMutationVariables>;