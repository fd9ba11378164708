import { beforeAll } from 'vitest';
import { Types } from 'mongoose';
import type { AuditEvent } from '../../models/index.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { modelId } from './heart-disease.js';
import { scored, type Scored } from './scenario.js';
import { startSystem, type System } from './system.js';

/** A system with one patient that was scored once, and the audit events of that patient. */
interface AuditedSystem {
  readonly system: System;
  readonly clinician: GraphqlClient;
  /** A token of the clinician. */
  readonly token: string;
  readonly organization: Types.ObjectId;
  /** The patient, named Canary. Filled before the first test. */
  readonly known: Scored;
  /** Runs the work. @returns the events of this organization that the work added */
  eventsOf(work: () => Promise<unknown>): Promise<AuditEvent[]>;
}

/** Starts such a system: call it at the top of a test file. */
export async function startAuditedSystem(): Promise<AuditedSystem> {
  const system = await startSystem();
  const { auditEvents } = system.app.models;
  const clinician = await system.client('CLINICIAN');
  const organization = new Types.ObjectId(await system.organizationId());
  const known: Scored = { patientId: '', mrn: '', jobId: '', predictionId: '' };
  beforeAll(async () => {
    Object.assign(known, await scored(clinician, { givenName: 'Canary' }));
  });
  return {
    system,
    clinician,
    token: await system.token('CLINICIAN'),
    organization,
    known,
    async eventsOf(work) {
      const before = await auditEvents.countDocuments({ organization });
      await work();
      return auditEvents
        .find({ organization, sequence: { $gt: before } })
        .sort({ sequence: 1 })
        .lean<AuditEvent[]>();
    },
  };
}

/** Lists the patients that these events name, each once. */
export const patientsOf = (events: readonly AuditEvent[]): string[] => [
  ...new Set(events.flatMap(({ patients }) => patients.map((id) => id.toHexString()))),
];

/** Every way in which data of a patient leaves the server or changes, and the action that is recorded. */
export const accesses: [string, string, (of: Scored) => string][] = [
  ['patient by id', 'patient:read', ({ patientId }) => `{ patient(id: "${patientId}") { givenName } }`],
  ['patient by MRN', 'patient:read', ({ mrn }) => `{ patient(mrn: "${mrn}") { givenName } }`],
  ['patients', 'patient:read', ({ mrn }) => `{ patients(filter: { mrn: "${mrn}" }) { edges { node { givenName } } } }`],
  [
    'predictions of a patient',
    'prediction:read',
    ({ patientId }) => `{ patient(id: "${patientId}") { predictions { edges { node { probability } } } } }`,
  ],
  [
    'latest prediction of a patient',
    'prediction:read',
    ({ patientId }) => `{ patient(id: "${patientId}") { latestPrediction { probability } } }`,
  ],
  ['prediction', 'prediction:read', ({ predictionId }) => `{ prediction(id: "${predictionId}") { probability } }`],
  [
    'patient of a prediction',
    'patient:read',
    ({ predictionId }) => `{ prediction(id: "${predictionId}") { patient { givenName } } }`,
  ],
  [
    'predictions',
    'prediction:read',
    ({ patientId }) => `{ predictions(filter: { patientId: "${patientId}" }) { edges { node { probability } } } }`,
  ],
  ['patient of a job', 'patient:read', ({ jobId }) => `{ scoringJob(id: "${jobId}") { patient { givenName } } }`],
  [
    'prediction of a job',
    'prediction:read',
    ({ jobId }) => `{ scoringJob(id: "${jobId}") { prediction { probability } } }`,
  ],
  [
    'predictions of a job',
    'prediction:read',
    ({ jobId }) => `{ scoringJob(id: "${jobId}") { predictions { edges { node { probability } } } } }`,
  ],
  [
    'simulation',
    'risk:simulate',
    ({ patientId }) => `{ simulateRisk(input: { modelId: "${modelId}", patientId: "${patientId}" }) { probability } }`,
  ],
  ['verification', 'prediction:verify', ({ predictionId }) => `{ verifyPrediction(id: "${predictionId}") { agrees } }`],
  [
    'update',
    'patient:write',
    ({ patientId }) =>
      `mutation { updatePatient(input: { id: "${patientId}", expectedVersion: 1, givenName: "Other" }) { givenName } }`,
  ],
  [
    'bulk',
    'patient:write',
    ({ mrn }) => `mutation { upsertPatients(inputs: [{ mrn: "${mrn}", familyName: "Bulk" }]) { patient { id } } }`,
  ],
  [
    'submission',
    'job:submit',
    ({ patientId }) =>
      `mutation { submitScoringJob(input: { patientId: "${patientId}", modelId: "${modelId}" }) { id } }`,
  ],
  ['cancellation', 'job:control', ({ jobId }) => `mutation { cancelScoringJob(id: "${jobId}") { id } }`],
  ['retry', 'job:control', ({ jobId }) => `mutation { retryScoringJob(id: "${jobId}") { id } }`],
  ['deletion', 'patient:delete', ({ patientId }) => `mutation { deletePatient(id: "${patientId}") { id } }`],
];
