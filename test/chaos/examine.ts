import { Types } from 'mongoose';
import {
  type Models,
  type ScoringChunk,
  type ScoringJob,
  ScoringJobKind,
  ScoringJobState,
} from '../../models/index.js';
import type { AuditKeyOf } from '../../src/audit/audit-writer.js';
import { verifyChains, type OrganizationReport } from '../../src/audit/verify-chains.js';
import { isTerminal } from '../../src/jobs/job-status.js';
import { unpackIds } from '../../src/storage/binary.js';
import { predictedPatients } from '../support/predicted-patients.js';

interface Finding {
  readonly check: string;
  readonly of: number;
  readonly wrong: number;
}

/** Checks the data in MongoDB after the run. */
export async function examine(models: Models, jobIds: readonly string[], patients: number): Promise<Finding[]> {
  const ids = jobIds.map((id) => new Types.ObjectId(id));
  const jobs = await models.scoringJobs.find({ _id: { $in: ids } }).lean<ScoringJob[]>();
  const singles = jobs.filter(({ kind }) => kind === ScoringJobKind.SINGLE);
  const batches = jobs.filter(({ kind }) => kind === ScoringJobKind.BATCH);
  let wrongSingles = 0;
  for (const job of singles) {
    const predictions = await predictedPatients(models, job._id);
    if (predictions.length !== (job.status.state === ScoringJobState.COMPLETED ? 1 : 0)) wrongSingles += 1;
  }
  let batchPatients = 0;
  let wrongPatients = 0;
  for (const job of batches) {
    const results = await resultsOfBatch(models, job);
    batchPatients += results.size;
    wrongPatients += [...results.values()].filter((times) => times !== 1).length + Math.abs(patients - results.size);
  }
  return [
    { check: 'accepted job is in MongoDB', of: jobIds.length, wrong: new Set(jobIds).size - jobs.length },
    {
      check: 'job ended in a terminal state',
      of: jobs.length,
      wrong: jobs.filter(({ status }) => !isTerminal(status.state)).length,
    },
    {
      check: 'job was COMPLETED',
      of: jobs.length,
      wrong: jobs.filter(({ status }) => status.state !== ScoringJobState.COMPLETED).length,
    },
    {
      check: 'job reached one terminal state only',
      of: jobs.length,
      wrong: jobs.filter(({ transitions }) => transitions.filter(({ state }) => isTerminal(state)).length !== 1).length,
    },
    { check: 'single job has exactly one prediction', of: singles.length, wrong: wrongSingles },
    { check: 'patient of a batch has exactly one prediction or one failure', of: batchPatients, wrong: wrongPatients },
    {
      check: 'batch counts every patient',
      of: batches.length,
      wrong: batches.filter(({ status, total }) => status.processed !== total || total !== patients).length,
    },
  ];
}

/** Counts the predictions and failures of each patient of a batch. */
async function resultsOfBatch(models: Models, job: ScoringJob): Promise<Map<string, number>> {
  const results = new Map<string, number>();
  const chunks = await models.scoringChunks.find({ job: job._id }).lean<ScoringChunk[]>();
  for (const { patients, failures } of chunks) {
    for (const id of unpackIds(Buffer.from((patients as unknown as { buffer: Uint8Array }).buffer)))
      results.set(id.toHexString(), 0);
    for (const { patient } of failures)
      results.set(patient.toHexString(), (results.get(patient.toHexString()) ?? 0) + 1);
  }
  for (const patient of await predictedPatients(models, job._id)) results.set(patient, (results.get(patient) ?? 0) + 1);
  return results;
}

/** Checks that the audit chain is whole and has every accepted job. Two API nodes wrote it while they were killed. */
export async function examineAuditTrail(
  models: Models,
  keyOf: AuditKeyOf,
  jobIds: readonly string[],
): Promise<Finding[]> {
  const reports: OrganizationReport[] = [];
  for await (const report of verifyChains(models, keyOf)) reports.push(report);
  const told = new Set(await models.auditEvents.distinct('subject.id', { action: 'job:submit', outcome: 'ALLOWED' }));
  return [
    {
      check: 'audit event follows the one before it',
      of: reports.reduce((sum, { events }) => sum + events, 0),
      wrong: reports.reduce((sum, { failures }) => sum + failures.length, 0),
    },
    {
      check: 'accepted job is in the audit trail',
      of: jobIds.length,
      wrong: jobIds.filter((id) => !told.has(id)).length,
    },
  ];
}
