import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import type { ScorablePatient } from '../../src/patients/scorable-patient.js';
import { createRowScorers } from '../../src/scoring/score-patient.js';
import { createEntryRunners } from '../../workers/process-entry.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const { app, client } = await startSystem({ worker: false });
const signal = new AbortController().signal;

/** Submits a job of one patient. It stays in the queue. */
async function newJob() {
  const clinician = await client('CLINICIAN');
  const { id: patientId } = await patient(clinician);
  return { patientId, id: (await submit(clinician, { patientId })).id };
}

/** The runner of single jobs, and what it read. */
function runner(readEarly = app.scoringRecords.patientOfJob) {
  const reads: ('with the job' | 'after the job')[] = [];
  const { single } = createEntryRunners({
    ...app,
    scoringRecords: {
      ...app.scoringRecords,
      patientOfJob: (id) => (reads.push('with the job'), readEarly(id)),
      patient: (organization, id) => (reads.push('after the job'), app.scoringRecords.patient(organization, id)),
    },
    scorerOf: createRowScorers(app.metrics),
    attempts: 3,
    leaseMs: 60_000,
    chunkRunner: { run: async () => undefined },
  });
  const run = (scoringJobId: string): Promise<void> => single({ kind: 'single', scoringJobId, dispatch: 1 })(signal);
  return { run, reads };
}

const partsOf = ({ _id, birthDate, sex, features, careTeam, breakGlass }: ScorablePatient): object => ({
  _id,
  birthDate,
  sex,
  features,
  careTeam,
  breakGlass,
});

const predictionOf = async (id: string) => app.models.predictions.findOne({ job: new Types.ObjectId(id) }).lean();

test('the patient of a job is found by the job alone', async () => {
  const { id, patientId } = await newJob();
  const { organization } = (await app.jobStore.find(new Types.ObjectId(id)))!;
  const early = await app.scoringRecords.patientOfJob(new Types.ObjectId(id));
  const known = await app.scoringRecords.patient(organization, new Types.ObjectId(patientId));
  expect(partsOf(early!)).toEqual(partsOf(known!));
  expect(await app.scoringRecords.patientOfJob(new Types.ObjectId())).toBeNull();
});

test('a job on its own is claimed while its patient is read', async () => {
  const { id, patientId } = await newJob();
  const { run, reads } = runner();
  await run(id);
  expect(reads).toEqual(['with the job']);
  expect((await predictionOf(id))!.patient.toHexString()).toBe(patientId);
});

test('jobs at the same time share the reading of their patients', async () => {
  const jobs = [await newJob(), await newJob(), await newJob()];
  const { run, reads } = runner();
  await Promise.all(jobs.map(({ id }) => run(id)));
  expect(reads).toEqual(['with the job', 'after the job', 'after the job']);
  const patients = await Promise.all(jobs.map(async ({ id }) => (await predictionOf(id))!.patient.toHexString()));
  expect(patients).toEqual(jobs.map(({ patientId }) => patientId));
});

test('a patient that cannot be read with the job is read after it', async () => {
  const { id } = await newJob();
  const { run, reads } = runner(() => Promise.reject(new Error('the connection was closed')));
  await run(id);
  expect(reads).toEqual(['with the job', 'after the job']);
  expect(await predictionOf(id)).not.toBeNull();
});
