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

/** All conditions must hold. */
export type AuditEventFilter = {
  /** Any of these. */
  actions?: Array<string> | null | undefined;
  /** Only flagged events, or only others. */
  flagged?: boolean | null | undefined;
  /** Events after this time. */
  occurredAfter?: string | null | undefined;
  /** Events before this time. */
  occurredBefore?: string | null | undefined;
  /** Any of these. */
  outcomes?: Array<AuditOutcome> | null | undefined;
  /** Events about this patient. */
  patientId?: string | null | undefined;
  /** Events of one request, by the id that its answer names. */
  requestId?: string | null | undefined;
  /** Events of this user. */
  username?: string | null | undefined;
};

/** Whether the caller was let in, and whether the work was done. */
export type AuditOutcome =
  /** The caller was allowed to do it. Recorded before the work began. */
  | 'ALLOWED'
  /** The caller was refused. */
  | 'DENIED'
  /** The work was allowed but failed, or a login had the wrong password. */
  | 'FAILED';

/** Give either patientId or mrn. */
export type BreakGlassInput = {
  /** Medical record number of the patient. */
  mrn?: string | null | undefined;
  /** Id of the patient. */
  patientId?: string | null | undefined;
  /** The reason why you need this patient, 10 to 500 characters. Reviewers read it. */
  reason: string;
};

/** A new API key. */
export type CreateApiKeyInput = {
  /** Absent: the key is valid until it is revoked. */
  expiresAt?: string | null | undefined;
  /** Purpose of the key, up to 100 characters. */
  name: string;
  /** Actions that the role SERVICE may do, e.g. "job:submit". */
  scopes: Array<string>;
};

/** A new user. */
export type CreateUserInput = {
  /** 12 to 128 characters, without the username. */
  password: string;
  /** The role of the user. */
  role: Role;
  /** 2 to 64 letters, digits and . _ @ + -; stored in lower case. */
  username: string;
};

/** The use of a data key. */
export type EncryptionKeyPurpose =
  /** It encrypts the fields of documents. */
  | 'FIELDS'
  /** It makes the blind indexes that find those documents. */
  | 'INDEX';

/** The state of a data key. */
export type EncryptionKeyState =
  /** It encrypts new data. */
  | 'ACTIVE'
  /** It only decrypts, and is deleted when no document needs it. */
  | 'RETIRED';

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

/** The state of a rotation. */
export type KeyRotationState =
  /** Workers encrypt the documents again. */
  | 'ACTIVE'
  /** It has ended. */
  | 'COMPLETED'
  /** It waits for a worker. */
  | 'QUEUED';

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

/** A user and its new password. */
export type SetUserPasswordInput = {
  /** Id of the user. */
  id: string;
  /** 12 to 128 characters, without the username. */
  newPassword: string;
};

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

/** Absent fields do not change. */
export type UpdateUserInput = {
  /** True: no credential of the user is valid any more. */
  disabled?: boolean | null | undefined;
  /** Id of the user. */
  id: string;
  /** Another role. */
  role?: Role | null | undefined;
};

export type ConsoleViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleViewerQuery = { viewer: { __typename: 'Viewer', username: string, role: Role, permissions: Array<string>, organization: { __typename: 'Organization', id: string, slug: string, name: string } } };

export type ShownUserFragment = { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null };

export type ConsoleUsersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConsoleUsersQuery = { users: { __typename: 'UserConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'UserEdge', node: { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null } }> } | null };

export type ConsoleCreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type ConsoleCreateUserMutation = { createUser: { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null } };

export type ConsoleUpdateUserMutationVariables = Exact<{
  input: UpdateUserInput;
}>;


export type ConsoleUpdateUserMutation = { updateUser: { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null } };

export type ConsoleSetPasswordMutationVariables = Exact<{
  input: SetUserPasswordInput;
}>;


export type ConsoleSetPasswordMutation = { setUserPassword: { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null } };

export type ConsoleRevokeSessionsMutationVariables = Exact<{
  userId: string;
}>;


export type ConsoleRevokeSessionsMutation = { revokeSessions: { __typename: 'User', id: string, username: string, role: Role, disabled: boolean, hasPassword: boolean, createdAt: string, passwordChangedAt: string | null } };

export type ConsoleSessionsQueryVariables = Exact<{
  userId: string;
  first?: number | null | undefined;
}>;


export type ConsoleSessionsQuery = { sessions: { __typename: 'SessionConnection', totalCount: number, edges: Array<{ __typename: 'SessionEdge', node: { __typename: 'Session', id: string, createdAt: string, address: string | null, lastUsedAt: string, expiresAt: string, isCurrent: boolean } }> } | null };

export type ConsoleRevokeSessionMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleRevokeSessionMutation = { revokeSession: { __typename: 'Session', id: string, endedAt: string | null } };

export type ShownApiKeyFragment = { __typename: 'ApiKey', id: string, name: string, prefix: string, scopes: Array<string>, createdAt: string, createdBy: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null };

export type ConsoleApiKeysQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConsoleApiKeysQuery = { apiKeys: { __typename: 'ApiKeyConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'ApiKeyEdge', node: { __typename: 'ApiKey', id: string, name: string, prefix: string, scopes: Array<string>, createdAt: string, createdBy: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } }> } | null };

export type ConsoleCreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type ConsoleCreateApiKeyMutation = { createApiKey: { __typename: 'CreateApiKeyPayload', key: string, apiKey: { __typename: 'ApiKey', id: string, name: string, prefix: string, scopes: Array<string>, createdAt: string, createdBy: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } } };

export type ConsoleRevokeApiKeyMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleRevokeApiKeyMutation = { revokeApiKey: { __typename: 'ApiKey', id: string, name: string, prefix: string, scopes: Array<string>, createdAt: string, createdBy: string, lastUsedAt: string | null, expiresAt: string | null, revokedAt: string | null } };

export type ConsoleAuditEventsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditEventFilter | null | undefined;
}>;


export type ConsoleAuditEventsQuery = { auditEvents: { __typename: 'AuditEventConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'AuditEventEdge', node: { __typename: 'AuditEvent', id: string, sequence: number, occurredAt: string, username: string, role: Role | null, address: string, requestId: string, action: string, outcome: AuditOutcome, patientIds: Array<string>, flagged: boolean, count: number, hash: string, subject: { __typename: 'AuditSubject', kind: string, id: string } | null } }> } | null };

export type ConsoleBreakGlassAccessesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConsoleBreakGlassAccessesQuery = { breakGlassAccesses: { __typename: 'BreakGlassAccessConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'BreakGlassAccessEdge', node: { __typename: 'BreakGlassAccess', id: string, username: string, patientId: string, reason: string, grantedAt: string, expiresAt: string } }> } | null };

export type ConsoleAuditChainQueryVariables = Exact<{
  after?: number | null | undefined;
}>;


export type ConsoleAuditChainQuery = { auditChain: { __typename: 'AuditChainPart', events: number, through: number, end: number, isComplete: boolean, archivedThrough: number, failures: Array<{ __typename: 'AuditChainFailure', sequence: number, reason: string }> } | null };

export type ShownRotationFragment = { __typename: 'KeyRotation', id: string, state: KeyRotationState, requestedAt: string, finishedAt: string | null, total: number, processed: number, failed: number };

export type ConsoleEncryptionQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleEncryptionQuery = { encryptionStatus: { __typename: 'EncryptionStatus', keys: Array<{ __typename: 'EncryptionKey', id: string, purpose: EncryptionKeyPurpose, state: EncryptionKeyState | null, createdAt: string | null, documents: number | null }>, rotation: { __typename: 'KeyRotation', id: string, state: KeyRotationState, requestedAt: string, finishedAt: string | null, total: number, processed: number, failed: number } | null } | null };

export type ConsoleRotateKeyMutationVariables = Exact<{ [key: string]: never; }>;


export type ConsoleRotateKeyMutation = { rotateEncryptionKey: { __typename: 'KeyRotation', id: string, state: KeyRotationState, requestedAt: string, finishedAt: string | null, total: number, processed: number, failed: number } };

export type ConsoleSystemQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleSystemQuery = { systemStatus: { __typename: 'SystemStatus', workersAlive: number, queues: Array<{ __typename: 'QueueDepth', kind: string, priority: number, entries: number, oldestSeconds: number }> | null } | null, waiting: { __typename: 'ScoringJobConnection', totalCount: number }, running: { __typename: 'ScoringJobConnection', totalCount: number }, failed: { __typename: 'ScoringJobConnection', totalCount: number } };

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

export type JobTransitionsFragment = { __typename: 'ScoringJob', transitions: Array<{ __typename: 'JobTransition', state: ScoringJobState, at: string | null, attempt: number, errorCode: ErrorCode | null }> };

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


export type ConsoleJobQuery = { scoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, patient: { __typename: 'Patient', id: string } | null, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null, transitions: Array<{ __typename: 'JobTransition', state: ScoringJobState, at: string | null, attempt: number, errorCode: ErrorCode | null }> } | null };

export type ConsoleJobFailuresQueryVariables = Exact<{
  id: string;
  identity: boolean;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConsoleJobFailuresQuery = { scoringJob: { __typename: 'ScoringJob', id: string, failureConnection: { __typename: 'PatientFailureConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'PatientFailureEdge', node: { __typename: 'PatientFailure', patientId: string, code: ErrorCode, message: string, patient?: { __typename: 'Patient', id: string, familyName: string | null, givenName: string | null, mrn: string | null } | null } }> } | null } | null };

export type ConsoleJobUpdatedSubscriptionVariables = Exact<{
  id: string;
  after?: number | null | undefined;
}>;


export type ConsoleJobUpdatedSubscription = { scoringJobUpdated: { __typename: 'ScoringJobEvent', sequence: number, collapsed: number, job: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null, transitions: Array<{ __typename: 'JobTransition', state: ScoringJobState, at: string | null, attempt: number, errorCode: ErrorCode | null }> } } };

export type ConsoleRetryJobMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleRetryJobMutation = { retryScoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null, transitions: Array<{ __typename: 'JobTransition', state: ScoringJobState, at: string | null, attempt: number, errorCode: ErrorCode | null }> } };

export type ConsoleCancelJobMutationVariables = Exact<{
  id: string;
}>;


export type ConsoleCancelJobMutation = { cancelScoringJob: { __typename: 'ScoringJob', id: string, kind: ScoringJobKind, state: ScoringJobState, attempts: number, sequence: number, priority: number, submittedAt: string, startedAt: string | null, finishedAt: string | null, submittedBy: string, modelId: string, modelVersion: string, progress: { __typename: 'JobProgress', stage: JobStage, processed: number, total: number, percent: number, failed: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null, transitions: Array<{ __typename: 'JobTransition', state: ScoringJobState, at: string | null, attempt: number, errorCode: ErrorCode | null }> } };

export type ConsoleModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type ConsoleModelsQuery = { riskModels: Array<{ __typename: 'RiskModel', id: string, modelId: string, version: string, name: string, outcome: string, isDefault: boolean, metrics: Array<{ __typename: 'ModelMetric', name: string, value: number, confidenceInterval: Array<number> | null }>, training: { __typename: 'TrainingSummary', patients: number } }> };

export type ConsoleModelQueryVariables = Exact<{
  id: string;
}>;


export type ConsoleModelQuery = { riskModel: { __typename: 'RiskModel', id: string, modelId: string, version: string, sha256: string, name: string, description: string, intendedUse: string, outcome: string, outputSpace: OutputSpace, isDefault: boolean, retiredAt: string | null, shapMethods: Array<ShapMethod>, classes: Array<string>, riskClass: string | null, card: string, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand, from: number, meaning: string }>, features: Array<{ __typename: 'ModelFeature', code: string, label: string, description: string | null, unit: string, unitLabel: string, kind: FeatureKind, range: { __typename: 'FeatureRange', min: number, max: number } | null, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null, missing: { __typename: 'MissingValue', policy: MissingValuePolicy, value: number | null, meaning: string | null } }>, metrics: Array<{ __typename: 'ModelMetric', name: string, method: string, value: number, confidenceInterval: Array<number> | null }>, reliability: { __typename: 'Reliability', method: string, groups: Array<{ __typename: 'ReliabilityGroup', patients: number, predicted: number, observed: number, interval: Array<number> }> } | null, training: { __typename: 'TrainingSummary', algorithm: string, data: string, patients: number, events: number | null, sites: Array<{ __typename: 'TrainingSite', name: string, patients: number, events: number | null }> }, globalImportance: Array<{ __typename: 'FeatureImportance', value: number, feature: { __typename: 'ModelFeature', code: string, label: string } }> } | null };

export type ConsoleModelTrialQueryVariables = Exact<{
  input: SimulateRiskInput;
}>;


export type ConsoleModelTrialQuery = { simulateRisk: { __typename: 'RiskSimulation', probability: number | null, value: number, unit: string, riskBand: RiskBand, explanation: { __typename: 'Explanation', baseValue: number, outputValue: number, class: string | null, contributions: Array<{ __typename: 'Contribution', value: number, inputValue: number | null, displayValue: string, feature: { __typename: 'ModelFeature', code: string, label: string } }> } } };

export type ConsoleModelInputsQueryVariables = Exact<{
  first?: number | null | undefined;
  filter?: PredictionFilter | null | undefined;
}>;


export type ConsoleModelInputsQuery = { predictions: { __typename: 'PredictionConnection', edges: Array<{ __typename: 'PredictionEdge', node: { __typename: 'Prediction', id: string, patientId: string, inputs: Array<{ __typename: 'FeatureValue', code: string, value: number | null }> } }> } };

export type CurvePointFragment = { __typename: 'RiskSimulation', value: number };

export type ConsoleModelCurveQueryVariables = Exact<{
  i0: SimulateRiskInput;
  i1: SimulateRiskInput;
  i2: SimulateRiskInput;
  i3: SimulateRiskInput;
  i4: SimulateRiskInput;
  i5: SimulateRiskInput;
  i6: SimulateRiskInput;
  i7: SimulateRiskInput;
  i8: SimulateRiskInput;
  i9: SimulateRiskInput;
}>;


export type ConsoleModelCurveQuery = { p0: { __typename: 'RiskSimulation', value: number }, p1: { __typename: 'RiskSimulation', value: number }, p2: { __typename: 'RiskSimulation', value: number }, p3: { __typename: 'RiskSimulation', value: number }, p4: { __typename: 'RiskSimulation', value: number }, p5: { __typename: 'RiskSimulation', value: number }, p6: { __typename: 'RiskSimulation', value: number }, p7: { __typename: 'RiskSimulation', value: number }, p8: { __typename: 'RiskSimulation', value: number }, p9: { __typename: 'RiskSimulation', value: number } };

export type PatientPageModelFragment = { __typename: 'RiskModel', id: string, modelId: string, version: string, isDefault: boolean, name: string, outcome: string, outputSpace: OutputSpace, intendedUse: string, riskClass: string | null, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand, from: number, meaning: string }>, features: Array<{ __typename: 'ModelFeature', code: string, label: string, description: string | null, kind: FeatureKind, unit: string, unitLabel: string, range: { __typename: 'FeatureRange', min: number, max: number } | null, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null, missing: { __typename: 'MissingValue', policy: MissingValuePolicy, value: number | null, meaning: string | null } }> };

export type PatientPageExplanationFragment = { __typename: 'Explanation', method: ShapMethod, outputSpace: OutputSpace, class: string | null, baseValue: number, outputValue: number, contributions: Array<{ __typename: 'Contribution', inputValue: number | null, displayValue: string, value: number, feature: { __typename: 'ModelFeature', code: string, label: string, unitLabel: string } }> };

export type PatientPageResultFragment = { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelId: string, modelVersion: string };

export type PatientPageModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type PatientPageModelsQuery = { riskModels: Array<{ __typename: 'RiskModel', id: string, modelId: string, version: string, isDefault: boolean, name: string, outcome: string, outputSpace: OutputSpace, intendedUse: string, riskClass: string | null, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand, from: number, meaning: string }>, features: Array<{ __typename: 'ModelFeature', code: string, label: string, description: string | null, kind: FeatureKind, unit: string, unitLabel: string, range: { __typename: 'FeatureRange', min: number, max: number } | null, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null, missing: { __typename: 'MissingValue', policy: MissingValuePolicy, value: number | null, meaning: string | null } }> }> };

export type PatientPageQueryVariables = Exact<{
  id: string;
  identity: boolean;
}>;


export type PatientPageQuery = { patient: { __typename: 'Patient', id: string, age: number | null, sex: AdministrativeGender | null, version: number, createdAt: string, updatedAt: string, breakGlassExpiresAt: string | null, mrn?: string | null, familyName?: string | null, givenName?: string | null, birthDate?: string | null, careTeam?: Array<string> | null, features: Array<{ __typename: 'PatientFeature', code: string, value: number, unit: string, recordedAt: string }> | null } | null };

export type PatientPageHistoryQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter: PredictionFilter;
}>;


export type PatientPageHistoryQuery = { predictions: { __typename: 'PredictionConnection', totalCount: number, pageInfo: { __typename: 'PageInfo', hasNextPage: boolean, endCursor: string | null }, edges: Array<{ __typename: 'PredictionEdge', node: { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelId: string, modelVersion: string } }> } };

export type PatientPageResultDetailsQueryVariables = Exact<{
  id: string;
}>;


export type PatientPageResultDetailsQuery = { prediction: { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelId: string, modelVersion: string, inputs: Array<{ __typename: 'FeatureValue', code: string, value: number | null, unit: string }>, model: { __typename: 'RiskModel', id: string, modelId: string, version: string, isDefault: boolean, name: string, outcome: string, outputSpace: OutputSpace, intendedUse: string, riskClass: string | null, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, riskBands: Array<{ __typename: 'RiskBandDefinition', band: RiskBand, from: number, meaning: string }>, features: Array<{ __typename: 'ModelFeature', code: string, label: string, description: string | null, kind: FeatureKind, unit: string, unitLabel: string, range: { __typename: 'FeatureRange', min: number, max: number } | null, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null, missing: { __typename: 'MissingValue', policy: MissingValuePolicy, value: number | null, meaning: string | null } }> } | null, explanation: { __typename: 'Explanation', method: ShapMethod, outputSpace: OutputSpace, class: string | null, baseValue: number, outputValue: number, contributions: Array<{ __typename: 'Contribution', inputValue: number | null, displayValue: string, value: number, feature: { __typename: 'ModelFeature', code: string, label: string, unitLabel: string } }> } | null } | null };

export type PatientPageSimulationQueryVariables = Exact<{
  input: SimulateRiskInput;
}>;


export type PatientPageSimulationQuery = { simulateRisk: { __typename: 'RiskSimulation', value: number, unit: string, probability: number | null, riskBand: RiskBand, inputs: Array<{ __typename: 'FeatureValue', code: string, value: number | null, unit: string }>, explanation: { __typename: 'Explanation', method: ShapMethod, outputSpace: OutputSpace, class: string | null, baseValue: number, outputValue: number, contributions: Array<{ __typename: 'Contribution', inputValue: number | null, displayValue: string, value: number, feature: { __typename: 'ModelFeature', code: string, label: string, unitLabel: string } }> } } };

export type PatientPageBreakGlassMutationVariables = Exact<{
  input: BreakGlassInput;
}>;


export type PatientPageBreakGlassMutation = { breakGlass: { __typename: 'BreakGlassAccess', id: string, patientId: string } };

export type PatientPageSubmitMutationVariables = Exact<{
  input: SubmitScoringJobInput;
}>;


export type PatientPageSubmitMutation = { submitScoringJob: { __typename: 'ScoringJob', id: string } };

export type PatientPageCancelMutationVariables = Exact<{
  id: string;
}>;


export type PatientPageCancelMutation = { cancelScoringJob: { __typename: 'ScoringJob', id: string, state: ScoringJobState } };

export type PatientPageScoringSubscriptionVariables = Exact<{
  id: string;
  after?: number | null | undefined;
}>;


export type PatientPageScoringSubscription = { scoringJobUpdated: { __typename: 'ScoringJobEvent', sequence: number, collapsed: number, job: { __typename: 'ScoringJob', id: string, state: ScoringJobState, finishedAt: string | null, progress: { __typename: 'JobProgress', stage: JobStage, percent: number }, error: { __typename: 'JobError', code: ErrorCode, message: string } | null, prediction: { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelId: string, modelVersion: string } | null } } };

export type PatientPageNewResultSubscriptionVariables = Exact<{
  patientId: string;
  after?: string | null | undefined;
}>;


export type PatientPageNewResultSubscription = { predictionCreated: { __typename: 'Prediction', id: string, cursor: string | null, modelId: string } };

export type WorklistModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type WorklistModelsQuery = { riskModels: Array<{ __typename: 'RiskModel', id: string, modelId: string, version: string, isDefault: boolean, isWorklistModel: boolean, name: string, outcome: string, quantity: { __typename: 'Quantity', unit: string, unitLabel: string } | null, features: Array<{ __typename: 'ModelFeature', code: string, label: string, unit: string, unitLabel: string, codes: Array<{ __typename: 'FeatureCode', value: number, label: string }> | null }> }> };

export type WorklistRowFragment = { __typename: 'Patient', id: string, age: number | null, sex: AdministrativeGender | null, createdAt: string, updatedAt: string, mrn?: string | null, familyName?: string | null, givenName?: string | null, birthDate?: string | null, careTeam?: Array<string> | null, latestPrediction?: { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelVersion: string } | null, features?: Array<{ __typename: 'PatientFeature', code: string, value: number, unit: string, recordedAt: string }> | null };

export type WorklistRowsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: PatientFilter | null | undefined;
  orderBy?: PatientOrder | null | undefined;
  model: string;
  identity: boolean;
  results: boolean;
  features: boolean;
  counted: boolean;
}>;


export type WorklistRowsQuery = { patients: { __typename: 'PatientConnection', totalCount?: number, edges: Array<{ __typename: 'PatientEdge', cursor: string, node: { __typename: 'Patient', id: string, age: number | null, sex: AdministrativeGender | null, createdAt: string, updatedAt: string, mrn?: string | null, familyName?: string | null, givenName?: string | null, birthDate?: string | null, careTeam?: Array<string> | null, latestPrediction?: { __typename: 'Prediction', id: string, createdAt: string, value: number, unit: string, probability: number | null, riskBand: RiskBand, modelVersion: string } | null, features?: Array<{ __typename: 'PatientFeature', code: string, value: number, unit: string, recordedAt: string }> | null } }> } };

export type WorklistEndsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: PatientFilter | null | undefined;
  orderBy?: PatientOrder | null | undefined;
}>;


export type WorklistEndsQuery = { patients: { __typename: 'PatientConnection', pageInfo: { __typename: 'PageInfo', startCursor: string | null, endCursor: string | null } } };

export type WorklistPatientByMrnQueryVariables = Exact<{
  mrn: string;
}>;


export type WorklistPatientByMrnQuery = { patient: { __typename: 'Patient', id: string } | null };

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
export const ShownUserFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`, {"fragmentName":"ShownUser"}) as unknown as TypedDocumentString<ShownUserFragment, unknown>;
export const ShownApiKeyFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment ShownApiKey on ApiKey { __typename id name prefix scopes createdAt createdBy lastUsedAt expiresAt revokedAt }`, {"fragmentName":"ShownApiKey"}) as unknown as TypedDocumentString<ShownApiKeyFragment, unknown>;
export const ShownRotationFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment ShownRotation on KeyRotation { __typename id state requestedAt finishedAt total processed failed }`, {"fragmentName":"ShownRotation"}) as unknown as TypedDocumentString<ShownRotationFragment, unknown>;
export const ShownJobFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`, {"fragmentName":"ShownJob"}) as unknown as TypedDocumentString<ShownJobFragment, unknown>;
export const JobTransitionsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment JobTransitions on ScoringJob { __typename transitions(last: 200) { __typename state at attempt errorCode } }`, {"fragmentName":"JobTransitions"}) as unknown as TypedDocumentString<JobTransitionsFragment, unknown>;
export const CurvePointFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment CurvePoint on RiskSimulation { __typename value }`, {"fragmentName":"CurvePoint"}) as unknown as TypedDocumentString<CurvePointFragment, unknown>;
export const PatientPageModelFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment PatientPageModel on RiskModel { __typename id modelId version isDefault name outcome outputSpace intendedUse riskClass quantity { __typename unit unitLabel } riskBands { __typename band from meaning } features { __typename code label description kind unit unitLabel range { __typename min max } codes { __typename value label } missing { __typename policy value meaning } } }`, {"fragmentName":"PatientPageModel"}) as unknown as TypedDocumentString<PatientPageModelFragment, unknown>;
export const PatientPageExplanationFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment PatientPageExplanation on Explanation { __typename method outputSpace class baseValue outputValue contributions { __typename feature { __typename code label unitLabel } inputValue displayValue value } }`, {"fragmentName":"PatientPageExplanation"}) as unknown as TypedDocumentString<PatientPageExplanationFragment, unknown>;
export const PatientPageResultFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment PatientPageResult on Prediction { __typename id createdAt value unit probability riskBand modelId modelVersion }`, {"fragmentName":"PatientPageResult"}) as unknown as TypedDocumentString<PatientPageResultFragment, unknown>;
export const WorklistRowFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`fragment WorklistRow on Patient { __typename id age sex createdAt updatedAt mrn @include(if: $identity) familyName @include(if: $identity) givenName @include(if: $identity) birthDate @include(if: $identity) careTeam @include(if: $identity) latestPrediction(modelId: $model) @include(if: $results) { __typename id createdAt value unit probability riskBand modelVersion } features @include(if: $features) { __typename code value unit recordedAt } }`, {"fragmentName":"WorklistRow"}) as unknown as TypedDocumentString<WorklistRowFragment, unknown>;
export const ConsoleViewerDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleViewer { viewer { __typename username role permissions organization { __typename id slug name } } }`) as unknown as TypedDocumentString<ConsoleViewerQuery, ConsoleViewerQueryVariables>;
export const ConsoleUsersDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleUsers($first: Int, $after: String) { users(first: $first, after: $after) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename ...ShownUser } } } } fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`) as unknown as TypedDocumentString<ConsoleUsersQuery, ConsoleUsersQueryVariables>;
export const ConsoleCreateUserDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleCreateUser($input: CreateUserInput!) { createUser(input: $input) { __typename ...ShownUser } } fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`) as unknown as TypedDocumentString<ConsoleCreateUserMutation, ConsoleCreateUserMutationVariables>;
export const ConsoleUpdateUserDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleUpdateUser($input: UpdateUserInput!) { updateUser(input: $input) { __typename ...ShownUser } } fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`) as unknown as TypedDocumentString<ConsoleUpdateUserMutation, ConsoleUpdateUserMutationVariables>;
export const ConsoleSetPasswordDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleSetPassword($input: SetUserPasswordInput!) { setUserPassword(input: $input) { __typename ...ShownUser } } fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`) as unknown as TypedDocumentString<ConsoleSetPasswordMutation, ConsoleSetPasswordMutationVariables>;
export const ConsoleRevokeSessionsDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRevokeSessions($userId: ID!) { revokeSessions(userId: $userId) { __typename ...ShownUser } } fragment ShownUser on User { __typename id username role disabled hasPassword createdAt passwordChangedAt }`) as unknown as TypedDocumentString<ConsoleRevokeSessionsMutation, ConsoleRevokeSessionsMutationVariables>;
export const ConsoleSessionsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleSessions($userId: ID!, $first: Int) { sessions(first: $first, filter: {userId: $userId}) { __typename totalCount edges { __typename node { __typename id createdAt address lastUsedAt expiresAt isCurrent } } } }`) as unknown as TypedDocumentString<ConsoleSessionsQuery, ConsoleSessionsQueryVariables>;
export const ConsoleRevokeSessionDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRevokeSession($id: ID!) { revokeSession(id: $id) { __typename id endedAt } }`) as unknown as TypedDocumentString<ConsoleRevokeSessionMutation, ConsoleRevokeSessionMutationVariables>;
export const ConsoleApiKeysDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleApiKeys($first: Int, $after: String) { apiKeys(first: $first, after: $after) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename ...ShownApiKey } } } } fragment ShownApiKey on ApiKey { __typename id name prefix scopes createdAt createdBy lastUsedAt expiresAt revokedAt }`) as unknown as TypedDocumentString<ConsoleApiKeysQuery, ConsoleApiKeysQueryVariables>;
export const ConsoleCreateApiKeyDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleCreateApiKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename key apiKey { __typename ...ShownApiKey } } } fragment ShownApiKey on ApiKey { __typename id name prefix scopes createdAt createdBy lastUsedAt expiresAt revokedAt }`) as unknown as TypedDocumentString<ConsoleCreateApiKeyMutation, ConsoleCreateApiKeyMutationVariables>;
export const ConsoleRevokeApiKeyDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRevokeApiKey($id: ID!) { revokeApiKey(id: $id) { __typename ...ShownApiKey } } fragment ShownApiKey on ApiKey { __typename id name prefix scopes createdAt createdBy lastUsedAt expiresAt revokedAt }`) as unknown as TypedDocumentString<ConsoleRevokeApiKeyMutation, ConsoleRevokeApiKeyMutationVariables>;
export const ConsoleAuditEventsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleAuditEvents($first: Int, $after: String, $filter: AuditEventFilter) { auditEvents(first: $first, after: $after, filter: $filter) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename id sequence occurredAt username role address requestId action outcome patientIds subject { __typename kind id } flagged count hash } } } }`) as unknown as TypedDocumentString<ConsoleAuditEventsQuery, ConsoleAuditEventsQueryVariables>;
export const ConsoleBreakGlassAccessesDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleBreakGlassAccesses($first: Int, $after: String) { breakGlassAccesses(first: $first, after: $after) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename id username patientId reason grantedAt expiresAt } } } }`) as unknown as TypedDocumentString<ConsoleBreakGlassAccessesQuery, ConsoleBreakGlassAccessesQueryVariables>;
export const ConsoleAuditChainDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleAuditChain($after: Int) { auditChain(after: $after) { __typename events through end isComplete archivedThrough failures { __typename sequence reason } } }`) as unknown as TypedDocumentString<ConsoleAuditChainQuery, ConsoleAuditChainQueryVariables>;
export const ConsoleEncryptionDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleEncryption { encryptionStatus { __typename keys { __typename id purpose state createdAt documents } rotation { __typename ...ShownRotation } } } fragment ShownRotation on KeyRotation { __typename id state requestedAt finishedAt total processed failed }`) as unknown as TypedDocumentString<ConsoleEncryptionQuery, ConsoleEncryptionQueryVariables>;
export const ConsoleRotateKeyDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRotateKey { rotateEncryptionKey { __typename ...ShownRotation } } fragment ShownRotation on KeyRotation { __typename id state requestedAt finishedAt total processed failed }`) as unknown as TypedDocumentString<ConsoleRotateKeyMutation, ConsoleRotateKeyMutationVariables>;
export const ConsoleSystemDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleSystem { systemStatus { __typename workersAlive queues { __typename kind priority entries oldestSeconds } } waiting: scoringJobs(first: 1, filter: {states: [QUEUED]}) { __typename totalCount } running: scoringJobs(first: 1, filter: {states: [ACTIVE]}) { __typename totalCount } failed: scoringJobs(first: 1, filter: {states: [FAILED]}) { __typename totalCount } }`) as unknown as TypedDocumentString<ConsoleSystemQuery, ConsoleSystemQueryVariables>;
export const ConsoleCohortModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohortModels { riskModels { __typename id modelId version name isDefault quantity { __typename unit } riskBands { __typename band } } }`) as unknown as TypedDocumentString<ConsoleCohortModelsQuery, ConsoleCohortModelsQueryVariables>;
export const ConsoleCohortCountDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohortCount($filter: PatientFilter) { patients(filter: $filter, first: 1) { __typename totalCount } }`) as unknown as TypedDocumentString<ConsoleCohortCountQuery, ConsoleCohortCountQueryVariables>;
export const ConsoleSubmitBatchDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleSubmitBatch($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { __typename ...ShownJob } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleSubmitBatchMutation, ConsoleSubmitBatchMutationVariables>;
export const ConsoleCohortDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleCohort($id: ID!) { scoringJob(id: $id) { __typename ...ShownJob model { __typename id name outcome intendedUse outputSpace quantity { __typename unit unitLabel } features { __typename code label unitLabel kind codes { __typename value label } } riskBands { __typename band from meaning } } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleCohortQuery, ConsoleCohortQueryVariables>;
export const ConsoleJobsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJobs($first: Int, $after: String, $filter: ScoringJobFilter) { scoringJobs(first: $first, after: $after, filter: $filter) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename ...ShownJob } } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobsQuery, ConsoleJobsQueryVariables>;
export const ConsoleJobsUpdatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription ConsoleJobsUpdated($filter: ScoringJobFilter) { scoringJobsUpdated(filter: $filter) { __typename sequence collapsed job { __typename ...ShownJob } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } }`) as unknown as TypedDocumentString<ConsoleJobsUpdatedSubscription, ConsoleJobsUpdatedSubscriptionVariables>;
export const ConsoleJobDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJob($id: ID!) { scoringJob(id: $id) { __typename ...ShownJob ...JobTransitions patient { __typename id } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } } fragment JobTransitions on ScoringJob { __typename transitions(last: 200) { __typename state at attempt errorCode } }`) as unknown as TypedDocumentString<ConsoleJobQuery, ConsoleJobQueryVariables>;
export const ConsoleJobFailuresDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleJobFailures($id: ID!, $identity: Boolean!, $first: Int, $after: String) { scoringJob(id: $id) { __typename id failureConnection(first: $first, after: $after) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename patientId patient @include(if: $identity) { __typename id familyName givenName mrn } code message } } } } }`) as unknown as TypedDocumentString<ConsoleJobFailuresQuery, ConsoleJobFailuresQueryVariables>;
export const ConsoleJobUpdatedDocument = /*#__PURE__*/ new TypedDocumentString(`subscription ConsoleJobUpdated($id: ID!, $after: Int) { scoringJobUpdated(id: $id, after: $after) { __typename sequence collapsed job { __typename ...ShownJob ...JobTransitions } } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } } fragment JobTransitions on ScoringJob { __typename transitions(last: 200) { __typename state at attempt errorCode } }`) as unknown as TypedDocumentString<ConsoleJobUpdatedSubscription, ConsoleJobUpdatedSubscriptionVariables>;
export const ConsoleRetryJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleRetryJob($id: ID!) { retryScoringJob(id: $id) { __typename ...ShownJob ...JobTransitions } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } } fragment JobTransitions on ScoringJob { __typename transitions(last: 200) { __typename state at attempt errorCode } }`) as unknown as TypedDocumentString<ConsoleRetryJobMutation, ConsoleRetryJobMutationVariables>;
export const ConsoleCancelJobDocument = /*#__PURE__*/ new TypedDocumentString(`mutation ConsoleCancelJob($id: ID!) { cancelScoringJob(id: $id) { __typename ...ShownJob ...JobTransitions } } fragment ShownJob on ScoringJob { __typename id kind state attempts sequence priority submittedAt startedAt finishedAt submittedBy modelId modelVersion progress { __typename stage processed total percent failed } error { __typename code message } } fragment JobTransitions on ScoringJob { __typename transitions(last: 200) { __typename state at attempt errorCode } }`) as unknown as TypedDocumentString<ConsoleCancelJobMutation, ConsoleCancelJobMutationVariables>;
export const ConsoleModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleModels { riskModels { __typename id modelId version name outcome isDefault metrics { __typename name value confidenceInterval } training { __typename patients } } }`) as unknown as TypedDocumentString<ConsoleModelsQuery, ConsoleModelsQueryVariables>;
export const ConsoleModelDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleModel($id: ID!) { riskModel(id: $id) { __typename id modelId version sha256 name description intendedUse outcome outputSpace isDefault retiredAt shapMethods classes riskClass quantity { __typename unit unitLabel } riskBands { __typename band from meaning } features { __typename code label description unit unitLabel kind range { __typename min max } codes { __typename value label } missing { __typename policy value meaning } } metrics { __typename name method value confidenceInterval } reliability { __typename method groups { __typename patients predicted observed interval } } training { __typename algorithm data patients events sites { __typename name patients events } } globalImportance { __typename feature { __typename code label } value } card } }`) as unknown as TypedDocumentString<ConsoleModelQuery, ConsoleModelQueryVariables>;
export const ConsoleModelTrialDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleModelTrial($input: SimulateRiskInput!) { simulateRisk(input: $input) { __typename probability value unit riskBand explanation { __typename baseValue outputValue class contributions { __typename value inputValue displayValue feature { __typename code label } } } } }`) as unknown as TypedDocumentString<ConsoleModelTrialQuery, ConsoleModelTrialQueryVariables>;
export const ConsoleModelInputsDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleModelInputs($first: Int, $filter: PredictionFilter) { predictions(first: $first, filter: $filter) { __typename edges { __typename node { __typename id patientId inputs { __typename code value } } } } }`) as unknown as TypedDocumentString<ConsoleModelInputsQuery, ConsoleModelInputsQueryVariables>;
export const ConsoleModelCurveDocument = /*#__PURE__*/ new TypedDocumentString(`query ConsoleModelCurve($i0: SimulateRiskInput!, $i1: SimulateRiskInput!, $i2: SimulateRiskInput!, $i3: SimulateRiskInput!, $i4: SimulateRiskInput!, $i5: SimulateRiskInput!, $i6: SimulateRiskInput!, $i7: SimulateRiskInput!, $i8: SimulateRiskInput!, $i9: SimulateRiskInput!) { p0: simulateRisk(input: $i0) { __typename ...CurvePoint } p1: simulateRisk(input: $i1) { __typename ...CurvePoint } p2: simulateRisk(input: $i2) { __typename ...CurvePoint } p3: simulateRisk(input: $i3) { __typename ...CurvePoint } p4: simulateRisk(input: $i4) { __typename ...CurvePoint } p5: simulateRisk(input: $i5) { __typename ...CurvePoint } p6: simulateRisk(input: $i6) { __typename ...CurvePoint } p7: simulateRisk(input: $i7) { __typename ...CurvePoint } p8: simulateRisk(input: $i8) { __typename ...CurvePoint } p9: simulateRisk(input: $i9) { __typename ...CurvePoint } } fragment CurvePoint on RiskSimulation { __typename value }`) as unknown as TypedDocumentString<ConsoleModelCurveQuery, ConsoleModelCurveQueryVariables>;
export const PatientPageModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query PatientPageModels { riskModels { __typename ...PatientPageModel } } fragment PatientPageModel on RiskModel { __typename id modelId version isDefault name outcome outputSpace intendedUse riskClass quantity { __typename unit unitLabel } riskBands { __typename band from meaning } features { __typename code label description kind unit unitLabel range { __typename min max } codes { __typename value label } missing { __typename policy value meaning } } }`) as unknown as TypedDocumentString<PatientPageModelsQuery, PatientPageModelsQueryVariables>;
export const PatientPageDocument = /*#__PURE__*/ new TypedDocumentString(`query PatientPage($id: ID!, $identity: Boolean!) { patient(id: $id) { __typename id age sex version createdAt updatedAt breakGlassExpiresAt mrn @include(if: $identity) familyName @include(if: $identity) givenName @include(if: $identity) birthDate @include(if: $identity) careTeam @include(if: $identity) features { __typename code value unit recordedAt } } }`) as unknown as TypedDocumentString<PatientPageQuery, PatientPageQueryVariables>;
export const PatientPageHistoryDocument = /*#__PURE__*/ new TypedDocumentString(`query PatientPageHistory($first: Int!, $after: String, $filter: PredictionFilter!) { predictions(first: $first, after: $after, filter: $filter) { __typename totalCount pageInfo { __typename hasNextPage endCursor } edges { __typename node { __typename ...PatientPageResult } } } } fragment PatientPageResult on Prediction { __typename id createdAt value unit probability riskBand modelId modelVersion }`) as unknown as TypedDocumentString<PatientPageHistoryQuery, PatientPageHistoryQueryVariables>;
export const PatientPageResultDetailsDocument = /*#__PURE__*/ new TypedDocumentString(`query PatientPageResultDetails($id: ID!) { prediction(id: $id) { __typename ...PatientPageResult inputs { __typename code value unit } model { __typename ...PatientPageModel } explanation { __typename ...PatientPageExplanation } } } fragment PatientPageModel on RiskModel { __typename id modelId version isDefault name outcome outputSpace intendedUse riskClass quantity { __typename unit unitLabel } riskBands { __typename band from meaning } features { __typename code label description kind unit unitLabel range { __typename min max } codes { __typename value label } missing { __typename policy value meaning } } } fragment PatientPageExplanation on Explanation { __typename method outputSpace class baseValue outputValue contributions { __typename feature { __typename code label unitLabel } inputValue displayValue value } } fragment PatientPageResult on Prediction { __typename id createdAt value unit probability riskBand modelId modelVersion }`) as unknown as TypedDocumentString<PatientPageResultDetailsQuery, PatientPageResultDetailsQueryVariables>;
export const PatientPageSimulationDocument = /*#__PURE__*/ new TypedDocumentString(`query PatientPageSimulation($input: SimulateRiskInput!) { simulateRisk(input: $input) { __typename value unit probability riskBand inputs { __typename code value unit } explanation { __typename ...PatientPageExplanation } } } fragment PatientPageExplanation on Explanation { __typename method outputSpace class baseValue outputValue contributions { __typename feature { __typename code label unitLabel } inputValue displayValue value } }`) as unknown as TypedDocumentString<PatientPageSimulationQuery, PatientPageSimulationQueryVariables>;
export const PatientPageBreakGlassDocument = /*#__PURE__*/ new TypedDocumentString(`mutation PatientPageBreakGlass($input: BreakGlassInput!) { breakGlass(input: $input) { __typename id patientId } }`) as unknown as TypedDocumentString<PatientPageBreakGlassMutation, PatientPageBreakGlassMutationVariables>;
export const PatientPageSubmitDocument = /*#__PURE__*/ new TypedDocumentString(`mutation PatientPageSubmit($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { __typename id } }`) as unknown as TypedDocumentString<PatientPageSubmitMutation, PatientPageSubmitMutationVariables>;
export const PatientPageCancelDocument = /*#__PURE__*/ new TypedDocumentString(`mutation PatientPageCancel($id: ID!) { cancelScoringJob(id: $id) { __typename id state } }`) as unknown as TypedDocumentString<PatientPageCancelMutation, PatientPageCancelMutationVariables>;
export const PatientPageScoringDocument = /*#__PURE__*/ new TypedDocumentString(`subscription PatientPageScoring($id: ID!, $after: Int) { scoringJobUpdated(id: $id, after: $after) { __typename sequence collapsed job { __typename id state finishedAt progress { __typename stage percent } error { __typename code message } prediction { __typename ...PatientPageResult } } } } fragment PatientPageResult on Prediction { __typename id createdAt value unit probability riskBand modelId modelVersion }`) as unknown as TypedDocumentString<PatientPageScoringSubscription, PatientPageScoringSubscriptionVariables>;
export const PatientPageNewResultDocument = /*#__PURE__*/ new TypedDocumentString(`subscription PatientPageNewResult($patientId: ID!, $after: String) { predictionCreated(patientId: $patientId, after: $after) { __typename id cursor modelId } }`) as unknown as TypedDocumentString<PatientPageNewResultSubscription, PatientPageNewResultSubscriptionVariables>;
export const WorklistModelsDocument = /*#__PURE__*/ new TypedDocumentString(`query WorklistModels { riskModels { __typename id modelId version isDefault isWorklistModel name outcome quantity { __typename unit unitLabel } features { __typename code label unit unitLabel codes { __typename value label } } } }`) as unknown as TypedDocumentString<WorklistModelsQuery, WorklistModelsQueryVariables>;
export const WorklistRowsDocument = /*#__PURE__*/ new TypedDocumentString(`query WorklistRows($first: Int, $after: String, $last: Int, $before: String, $filter: PatientFilter, $orderBy: PatientOrder, $model: ID!, $identity: Boolean!, $results: Boolean!, $features: Boolean!, $counted: Boolean!) { patients( first: $first after: $after last: $last before: $before filter: $filter orderBy: $orderBy ) { __typename totalCount @include(if: $counted) edges { __typename cursor node { __typename ...WorklistRow } } } } fragment WorklistRow on Patient { __typename id age sex createdAt updatedAt mrn @include(if: $identity) familyName @include(if: $identity) givenName @include(if: $identity) birthDate @include(if: $identity) careTeam @include(if: $identity) latestPrediction(modelId: $model) @include(if: $results) { __typename id createdAt value unit probability riskBand modelVersion } features @include(if: $features) { __typename code value unit recordedAt } }`) as unknown as TypedDocumentString<WorklistRowsQuery, WorklistRowsQueryVariables>;
export const WorklistEndsDocument = /*#__PURE__*/ new TypedDocumentString(`query WorklistEnds($first: Int, $after: String, $last: Int, $before: String, $filter: PatientFilter, $orderBy: PatientOrder) { patients( first: $first after: $after last: $last before: $before filter: $filter orderBy: $orderBy ) { __typename pageInfo { __typename startCursor endCursor } } }`) as unknown as TypedDocumentString<WorklistEndsQuery, WorklistEndsQueryVariables>;
export const WorklistPatientByMrnDocument = /*#__PURE__*/ new TypedDocumentString(`query WorklistPatientByMrn($mrn: String!) { patient(mrn: $mrn) { __typename id } }`) as unknown as TypedDocumentString<WorklistPatientByMrnQuery, WorklistPatientByMrnQueryVariables>;