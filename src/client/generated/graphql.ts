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

/** A new patient. */
export type CreatePatientInput = {
  /** Not before 1850, and not in the future. */
  birthDate?: string | null | undefined;
  /** Usernames of the enabled clinicians who may see the patient. Include your own. Null: every clinician of the organization may. */
  careTeam?: Array<string> | null | undefined;
  /** Family name, up to 200 characters. */
  familyName?: string | null | undefined;
  /** Values of features, each code once, up to 1000. */
  features?: Array<FeatureValueInput> | null | undefined;
  /** Given name, up to 200 characters. */
  givenName?: string | null | undefined;
  /** Medical record number, unique in the organization. Up to 64 characters. */
  mrn: string;
  /** UNKNOWN when absent. */
  sex?: AdministrativeGender | null | undefined;
};

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

/** The value of one feature. */
export type FeatureValueInput = {
  /** See riskModels { features { code } }. */
  code: string;
  /** In the unit of the risk model. Null removes the value. */
  value?: number | null | undefined;
};

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

/** The credentials of a user. */
export type LoginInput = {
  /** Slug of the organization. */
  organization: string;
  /** The password of the user. */
  password: string;
  /** The username, in upper or lower case. */
  username: string;
};

/** A session to be ended. */
export type LogoutInput = {
  /** The latest refresh token of the session. */
  refreshToken: string;
};

/** The rule of a model for a missing value. */
export type MissingValuePolicy =
  /** `value` is used in its place, as in training. */
  | 'IMPUTE'
  /** The trees of the model decide where a missing value goes. */
  | 'NATIVE'
  /** Without this value there is no score. */
  | 'REQUIRED';

/** The direction of a sort. */
export type OrderDirection =
  /** Lowest or oldest first. */
  | 'ASC'
  /** Highest or newest first. */
  | 'DESC';

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

/** Newest first when absent. */
export type PatientOrder = {
  /** The direction of the sort. */
  direction?: OrderDirection | null | undefined;
  /** The field to sort by. */
  field: PatientOrderField;
};

/** The value by which patients are ordered. */
export type PatientOrderField =
  /** Time at which the patient was created. */
  | 'CREATED_AT'
  /** Probability of the latest result: DESC gives the highest risk first. Lists only patients that have one of the model: see PatientFilter.latestModelId. */
  | 'LATEST_PROBABILITY'
  /** As LATEST_PROBABILITY, for a model that gives a quantity. */
  | 'LATEST_QUANTITY'
  /** Time at which the patient was changed last. */
  | 'UPDATED_AT';

/** All conditions must hold. */
export type PredictionFilter = {
  /** Predictions that were stored after this time. */
  createdAfter?: string | null | undefined;
  /** Predictions that were stored before this time. */
  createdBefore?: string | null | undefined;
  /** Predictions of this job. */
  jobId?: string | null | undefined;
  /** Leaves out predictions of quantities. */
  maximumProbability?: number | null | undefined;
  /** Leaves out predictions of quantities. */
  minimumProbability?: number | null | undefined;
  /** A RiskModel.modelId, or the RiskModel.id of one version. */
  modelId?: string | null | undefined;
  /** Predictions of this version. Give modelId too. */
  modelVersion?: string | null | undefined;
  /** Predictions of this patient. */
  patientId?: string | null | undefined;
  /** Any of these. */
  riskBands?: Array<RiskBand> | null | undefined;
};

/** A refresh token to be replaced. */
export type RefreshInput = {
  /** The refresh token that the last login or refresh gave. */
  refreshToken: string;
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

/** The way in which SHAP values treat features that are left out. Both are exact. */
export type ShapMethod =
  /** By the values of background rows. */
  | 'INTERVENTIONAL'
  /** By the training rows that reached each node of the trees. */
  | 'PATH_DEPENDENT';

/** Scores the patient's values, if a patient is named; that needs the right to read patients. The features given here replace the patient's. */
export type SimulateRiskInput = {
  /** Values that replace those of the patient. */
  features?: Array<FeatureValueInput> | null | undefined;
  /** A RiskModel.modelId, or the RiskModel.id of one version. */
  modelId: string;
  /** The default version when absent. */
  modelVersion?: string | null | undefined;
  /** The patient whose values are the starting point. */
  patientId?: string | null | undefined;
};

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

/** A job for one patient. */
export type SubmitScoringJobInput = {
  /** True, or absent: SHAP values are stored with each prediction. False: they are computed when a caller asks for them. */
  explain?: boolean | null | undefined;
  /** Requests of one user or API key with the same key get the same job. */
  idempotencyKey?: string | null | undefined;
  /** A RiskModel.modelId, or the RiskModel.id of one version. */
  modelId: string;
  /** The default version when absent. The job keeps the version that it was submitted for. */
  modelVersion?: string | null | undefined;
  /** The patient to score. */
  patientId: string;
  /** 0 runs first, 10 last; 5 when absent. Single jobs always run before batches. */
  priority?: number | null | undefined;
};

/** Absent fields do not change. Null clears a field: sex becomes UNKNOWN, and an MRN cannot be cleared. Features are merged by code. */
export type UpdatePatientInput = {
  /** Not before 1850, and not in the future. */
  birthDate?: string | null | undefined;
  /** Usernames of the enabled clinicians who may see the patient. Include your own. Null: every clinician of the organization may. */
  careTeam?: Array<string> | null | undefined;
  /** Patient.version that the change is based on. Another one is refused with CONFLICT. */
  expectedVersion: number;
  /** Family name, up to 200 characters. */
  familyName?: string | null | undefined;
  /** Values of features, each code once, up to 1000. */
  features?: Array<FeatureValueInput> | null | undefined;
  /** Given name, up to 200 characters. */
  givenName?: string | null | undefined;
  /** Id of the patient. */
  id: string;
  /** Another medical record number. */
  mrn?: string | null | undefined;
  /** Null stands for UNKNOWN. */
  sex?: AdministrativeGender | null | undefined;
};

export type JobFieldsFragment = { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null };

export type PredictionFieldsFragment = { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null };

export type PatientFieldsFragment = { id: string, mrn: string | null, givenName: string | null, familyName: string | null, birthDate: string | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, features: Array<{ code: string, value: number, unit: string, recordedAt: string }> | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { username: string, role: Role, permissions: Array<string>, expiresAt: string, organization: { id: string, slug: string, name: string } } };

export type PatientQueryVariables = Exact<{
  id?: string | null | undefined;
  mrn?: string | null | undefined;
}>;


export type PatientQuery = { patient: { id: string, mrn: string | null, givenName: string | null, familyName: string | null, birthDate: string | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, features: Array<{ code: string, value: number, unit: string, recordedAt: string }> | null } | null };

export type PatientsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: PatientFilter | null | undefined;
  orderBy?: PatientOrder | null | undefined;
}>;


export type PatientsQuery = { patients: { totalCount: number, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, mrn: string | null, givenName: string | null, familyName: string | null, birthDate: string | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, features: Array<{ code: string, value: number, unit: string, recordedAt: string }> | null } }> } };

export type PredictionQueryVariables = Exact<{
  id: string;
}>;


export type PredictionQuery = { prediction: { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, patient: { id: string } | null, job: { id: string } | null, model: { id: string, version: string, retiredAt: string | null } | null, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } | null };

export type PredictionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: PredictionFilter | null | undefined;
}>;


export type PredictionsQuery = { predictions: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, patient: { id: string } | null, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } }> } };

export type ScoringJobQueryVariables = Exact<{
  id: string;
}>;


export type ScoringJobQuery = { scoringJob: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, patient: { id: string } | null, prediction: { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } | null, model: { id: string, version: string } | null, failures: Array<{ patientId: string, code: ErrorCode, message: string }> | null, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } | null };

export type ScoringJobsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: ScoringJobFilter | null | undefined;
}>;


export type ScoringJobsQuery = { scoringJobs: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } }> } };

export type JobPredictionsQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type JobPredictionsQuery = { scoringJob: { predictions: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, edges: Array<{ node: { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, patient: { id: string } | null, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } }> } | null, failures: Array<{ patientId: string, code: ErrorCode, message: string }> | null } | null };

export type RiskModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type RiskModelsQuery = { riskModels: Array<{ id: string, modelId: string, version: string, isDefault: boolean, retiredAt: string | null, sha256: string, name: string, outcome: string, outputSpace: OutputSpace, classes: Array<string>, shapMethods: Array<ShapMethod>, quantity: { unit: string, unitLabel: string } | null, features: Array<{ code: string, label: string, unit: string, unitLabel: string, kind: FeatureKind, range: { min: number, max: number } | null, codes: Array<{ value: number, label: string }> | null, missing: { policy: MissingValuePolicy, value: number | null, meaning: string | null } }>, riskBands: Array<{ band: RiskBand, from: number, meaning: string }> }> };

export type SimulateRiskQueryVariables = Exact<{
  input: SimulateRiskInput;
}>;


export type SimulateRiskQuery = { simulateRisk: { value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, inputs: Array<{ code: string, value: number | null, unit: string }>, model: { id: string, version: string }, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string } }> } } };

export type CreatePatientMutationVariables = Exact<{
  input: CreatePatientInput;
}>;


export type CreatePatientMutation = { createPatient: { id: string, mrn: string | null, givenName: string | null, familyName: string | null, birthDate: string | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, features: Array<{ code: string, value: number, unit: string, recordedAt: string }> | null } };

export type UpdatePatientMutationVariables = Exact<{
  input: UpdatePatientInput;
}>;


export type UpdatePatientMutation = { updatePatient: { id: string, mrn: string | null, givenName: string | null, familyName: string | null, birthDate: string | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, features: Array<{ code: string, value: number, unit: string, recordedAt: string }> | null } };

export type DeletePatientMutationVariables = Exact<{
  id: string;
}>;


export type DeletePatientMutation = { deletePatient: { id: string } };

export type SubmitScoringJobMutationVariables = Exact<{
  input: SubmitScoringJobInput;
}>;


export type SubmitScoringJobMutation = { submitScoringJob: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } };

export type SubmitBatchScoringJobMutationVariables = Exact<{
  input: SubmitBatchScoringJobInput;
}>;


export type SubmitBatchScoringJobMutation = { submitBatchScoringJob: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } };

export type CancelScoringJobMutationVariables = Exact<{
  id: string;
}>;


export type CancelScoringJobMutation = { cancelScoringJob: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } };

export type RetryScoringJobMutationVariables = Exact<{
  id: string;
}>;


export type RetryScoringJobMutation = { retryScoringJob: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } };

export type ScoringJobUpdatedSubscriptionVariables = Exact<{
  id: string;
  after?: number | null | undefined;
}>;


export type ScoringJobUpdatedSubscription = { scoringJobUpdated: { sequence: number, collapsed: number, job: { id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, prediction: { id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } | null, progress: { stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { code: ErrorCode, message: string } | null } } };

export type PredictionCreatedSubscriptionVariables = Exact<{
  patientId?: string | null | undefined;
  after?: string | null | undefined;
}>;


export type PredictionCreatedSubscription = { predictionCreated: { cursor: string | null, id: string, createdAt: string, value: number, unit: string, probability: number | null, rawOutput: number, riskBand: RiskBand, modelId: string, modelVersion: string, modelSha256: string, patient: { id: string } | null, classes: Array<{ name: string, probability: number }>, inputs: Array<{ code: string, value: number | null, unit: string }>, explanation: { method: ShapMethod, outputSpace: OutputSpace, baseValue: number, outputValue: number, additivityError: number, contributions: Array<{ inputValue: number | null, displayValue: string, value: number, feature: { code: string, label: string, unitLabel: string } }> } | null } };

export type SessionFieldsFragment = { accessToken: string, expiresAt: string, refreshToken: string, refreshExpiresAt: string, viewer: { username: string, role: Role, permissions: Array<string>, organization: { slug: string, name: string } } };

export type LoginMutationVariables = Exact<{
  input: LoginInput;
}>;


export type LoginMutation = { login: { accessToken: string, expiresAt: string, refreshToken: string, refreshExpiresAt: string, viewer: { username: string, role: Role, permissions: Array<string>, organization: { slug: string, name: string } } } };

export type RefreshMutationVariables = Exact<{
  input: RefreshInput;
}>;


export type RefreshMutation = { refresh: { accessToken: string, expiresAt: string, refreshToken: string, refreshExpiresAt: string, viewer: { username: string, role: Role, permissions: Array<string>, organization: { slug: string, name: string } } } };

export type LogoutMutationVariables = Exact<{
  input: LogoutInput;
}>;


export type LogoutMutation = { logout: { ended: boolean } };

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
export const JobFieldsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`, {"fragmentName":"JobFields"}) as unknown as TypedDocumentString<JobFieldsFragment, unknown>;
export const PredictionFieldsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`, {"fragmentName":"PredictionFields"}) as unknown as TypedDocumentString<PredictionFieldsFragment, unknown>;
export const PatientFieldsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment PatientFields on Patient { id mrn givenName familyName birthDate sex version createdAt updatedAt features { code value unit recordedAt } }`, {"fragmentName":"PatientFields"}) as unknown as TypedDocumentString<PatientFieldsFragment, unknown>;
export const SessionFieldsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment SessionFields on SessionPayload { accessToken expiresAt refreshToken refreshExpiresAt viewer { username role permissions organization { slug name } } }`, {"fragmentName":"SessionFields"}) as unknown as TypedDocumentString<SessionFieldsFragment, unknown>;
export const ViewerDocument = /*#__PURE__*/ new TypedDocumentString(`query Viewer { viewer { username role permissions expiresAt organization { id slug name } } }`) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const PatientDocument = /*#__PURE__*/ new TypedDocumentString(`query Patient($id: ID, $mrn: String) { patient(id: $id, mrn: $mrn) { ...PatientFields } } fragment PatientFields on Patient { id mrn givenName familyName birthDate sex version createdAt updatedAt features { code value unit recordedAt } }`) as unknown as TypedDocumentString<PatientQuery, PatientQueryVariables>;
export const PatientsDocument = /*#__PURE__*/ new TypedDocumentString(`query Patients($first: Int, $after: String, $filter: PatientFilter, $orderBy: PatientOrder) { patients(first: $first, after: $after, filter: $filter, orderBy: $orderBy) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ...PatientFields } } } } fragment PatientFields on Patient { id mrn givenName familyName birthDate sex version createdAt updatedAt features { code value unit recordedAt } }`) as unknown as TypedDocumentString<PatientsQuery, PatientsQueryVariables>;
export const PredictionDocument = /*#__PURE__*/ new TypedDocumentString(`query Prediction($id: ID!) { prediction(id: $id) { ...PredictionFields patient { id } job { id } model { id version retiredAt } } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<PredictionQuery, PredictionQueryVariables>;
export const PredictionsDocument = /*#__PURE__*/ new TypedDocumentString(`query Predictions($first: Int, $after: String, $filter: PredictionFilter) { predictions(first: $first, after: $after, filter: $filter) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { ...PredictionFields patient { id } } } } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<PredictionsQuery, PredictionsQueryVariables>;
export const ScoringJobDocument = /*#__PURE__*/ new TypedDocumentString(`query ScoringJob($id: ID!) { scoringJob(id: $id) { ...JobFields patient { id } prediction { ...PredictionFields } model { id version } failures { patientId code message } } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<ScoringJobQuery, ScoringJobQueryVariables>;
export const ScoringJobsDocument = /*#__PURE__*/ new TypedDocumentString(`query ScoringJobs($first: Int, $after: String, $filter: ScoringJobFilter) { scoringJobs(first: $first, after: $after, filter: $filter) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { ...JobFields } } } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`) as unknown as TypedDocumentString<ScoringJobsQuery, ScoringJobsQueryVariables>;
export const JobPredictionsDocument = /*#__PURE__*/ new TypedDocumentString(`query JobPredictions($id: ID!, $first: Int, $after: String) { scoringJob(id: $id) { predictions(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { ...PredictionFields patient { id } } } } failures(first: 500) { patientId code message } } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<JobPredictionsQuery, JobPredictionsQueryVariables>;
export const RiskModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query RiskModels { riskModels { id modelId version isDefault retiredAt sha256 name outcome outputSpace quantity { unit unitLabel } classes shapMethods features { code label unit unitLabel kind range { min max } codes { value label } missing { policy value meaning } } riskBands { band from meaning } } }`) as unknown as TypedDocumentString<RiskModelsQuery, RiskModelsQueryVariables>;
export const SimulateRiskDocument = /*#__PURE__*/ new TypedDocumentString(`query SimulateRisk($input: SimulateRiskInput!) { simulateRisk(input: $input) { value unit probability rawOutput riskBand inputs { code value unit } model { id version } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code } inputValue displayValue value } } } }`) as unknown as TypedDocumentString<SimulateRiskQuery, SimulateRiskQueryVariables>;
export const CreatePatientDocument = /*#__PURE__*/ new TypedDocumentString(`mutation CreatePatient($input: CreatePatientInput!) { createPatient(input: $input) { ...PatientFields } } fragment PatientFields on Patient { id mrn givenName familyName birthDate sex version createdAt updatedAt features { code value unit recordedAt } }`) as unknown as TypedDocumentString<CreatePatientMutation, CreatePatientMutationVariables>;
export const UpdatePatientDocument = /*#__PURE__*/ new TypedDocumentString(`mutation UpdatePatient($input: UpdatePatientInput!) { updatePatient(input: $input) { ...PatientFields } } fragment PatientFields on Patient { id mrn givenName familyName birthDate sex version createdAt updatedAt features { code value unit recordedAt } }`) as unknown as TypedDocumentString<UpdatePatientMutation, UpdatePatientMutationVariables>;
export const DeletePatientDocument = /*#__PURE__*/ new TypedDocumentString(`mutation DeletePatient($id: ID!) { deletePatient(id: $id) { id } }`) as unknown as TypedDocumentString<DeletePatientMutation, DeletePatientMutationVariables>;
export const SubmitScoringJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation SubmitScoringJob($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { ...JobFields } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`) as unknown as TypedDocumentString<SubmitScoringJobMutation, SubmitScoringJobMutationVariables>;
export const SubmitBatchScoringJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation SubmitBatchScoringJob($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { ...JobFields } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`) as unknown as TypedDocumentString<SubmitBatchScoringJobMutation, SubmitBatchScoringJobMutationVariables>;
export const CancelScoringJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation CancelScoringJob($id: ID!) { cancelScoringJob(id: $id) { ...JobFields } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`) as unknown as TypedDocumentString<CancelScoringJobMutation, CancelScoringJobMutationVariables>;
export const RetryScoringJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation RetryScoringJob($id: ID!) { retryScoringJob(id: $id) { ...JobFields } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } }`) as unknown as TypedDocumentString<RetryScoringJobMutation, RetryScoringJobMutationVariables>;
export const ScoringJobUpdatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription ScoringJobUpdated($id: ID!, $after: Int) { scoringJobUpdated(id: $id, after: $after) { sequence collapsed job { ...JobFields prediction { ...PredictionFields } } } } fragment JobFields on ScoringJob { id kind state attempts sequence submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { stage processed total percent failed } error { code message } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<ScoringJobUpdatedSubscription, ScoringJobUpdatedSubscriptionVariables>;
export const PredictionCreatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription PredictionCreated($patientId: ID, $after: String) { predictionCreated(patientId: $patientId, after: $after) { cursor ...PredictionFields patient { id } } } fragment PredictionFields on Prediction { id createdAt value unit probability classes { name probability } rawOutput riskBand modelId modelVersion modelSha256 inputs { code value unit } explanation { method outputSpace baseValue outputValue additivityError contributions { feature { code label unitLabel } inputValue displayValue value } } }`) as unknown as TypedDocumentString<PredictionCreatedSubscription, PredictionCreatedSubscriptionVariables>;
export const LoginDocument = /*#__PURE__*/ new TypedDocumentString(`mutation Login($input: LoginInput!) { login(input: $input) { ...SessionFields } } fragment SessionFields on SessionPayload { accessToken expiresAt refreshToken refreshExpiresAt viewer { username role permissions organization { slug name } } }`) as unknown as TypedDocumentString<LoginMutation, LoginMutationVariables>;
export const RefreshDocument = /*#__PURE__*/ new TypedDocumentString(`mutation Refresh($input: RefreshInput!) { refresh(input: $input) { ...SessionFields } } fragment SessionFields on SessionPayload { accessToken expiresAt refreshToken refreshExpiresAt viewer { username role permissions organization { slug name } } }`) as unknown as TypedDocumentString<RefreshMutation, RefreshMutationVariables>;
export const LogoutDocument = /*#__PURE__*/ new TypedDocumentString(`mutation Logout($input: LogoutInput!) { logout(input: $input) { ended } }`) as unknown as TypedDocumentString<LogoutMutation, LogoutMutationVariables>;