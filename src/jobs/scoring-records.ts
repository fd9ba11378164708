import type { Types } from 'mongoose';
import type { Models, Prediction, ScoringJob, StoredPatient } from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import { removeFromLog, type LogWriter } from '../storage/document-log.js';
import { createGroupCommit } from '../storage/group-commit.js';
import { groupedFind, largestCohort } from '../storage/group-queries.js';
import {
  decryptScorablePatient,
  scorablePatientFields,
  type ScorablePatient,
  type StoredScorablePatient,
} from '../patients/scorable-patient.js';
import { collectPatientRows, patientRowFields, type PatientRows } from '../patients/patient-rows.js';
import type { FieldReader, ProtectionOf } from '../protection/protection.js';
import type { LatestResults } from '../predictions/latest-results.js';
import type { ModelFeature } from '../risk/manifest.js';

export interface JobWithPatient {
  readonly job: ScoringJob;
  readonly patient: ScorablePatient;
}

/** Patients and predictions that jobs read and write. Single jobs that run at the same time share their round trips. */
export interface ScoringRecords {
  /** @returns null when the organization has no such patient */
  patient(organization: Types.ObjectId, id: Types.ObjectId): Promise<ScorablePatient | null>;
  /**
   * Reads a job of one patient together with the patient. It costs more than `patient`, but less than two reads.
   * @returns null when there is no such job, or its organization has no such patient
   */
  jobWithPatient(id: Types.ObjectId): Promise<JobWithPatient | null>;
  /**
   * Reads those patients that the organization has, as rows for a model. The caller completes the rows with the reader.
   */
  patientRows(
    organization: Types.ObjectId,
    ids: readonly Types.ObjectId[],
    features: readonly ModelFeature[],
  ): Promise<{ readonly rows: PatientRows; readonly read: FieldReader }>;
  patientExists(id: Types.ObjectId): Promise<boolean>;
  /**
   * Stores a prediction, and then its result with the patient.
   * @returns the stored prediction: the earlier one if the job has scored this patient before; null if that one was erased
   */
  storePrediction(prediction: Prediction): Promise<Prediction | null>;
  erasePrediction(id: Types.ObjectId): Promise<void>;
}

export function createScoringRecords(
  { scoringJobs, patients, predictions }: Models,
  protectionOf: ProtectionOf,
  latestResults: Pick<LatestResults, 'keep'>,
  log: Pick<LogWriter<Prediction>, 'append'>,
): ScoringRecords {
  const findPatient = groupedFind<StoredPatient, StoredScorablePatient>(patients, scorablePatientFields);
  const findPatientId = groupedFind<StoredPatient>(patients, { _id: 1 });
  const insertPrediction = createGroupCommit<Prediction, void>((group) => log.append(group), {
    largest: largestCohort,
  });

  async function insertOnce(prediction: Prediction): Promise<Prediction | null> {
    try {
      await insertPrediction(prediction);
      return prediction;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return predictions.findOne({ job: prediction.job, patient: prediction.patient }).lean<Prediction>();
    }
  }

  async function decrypt(
    organization: Types.ObjectId,
    stored: StoredScorablePatient | null | undefined,
  ): Promise<ScorablePatient | null> {
    return stored?.organization.equals(organization)
      ? decryptScorablePatient(await protectionOf(organization).reader([stored.dataKey]), stored)
      : null;
  }

  return {
    patient: async (organization, id) => decrypt(organization, await findPatient(id)),

    async jobWithPatient(id) {
      const [found] = await scoringJobs.collection
        .aggregate<{ readonly job: ScoringJob; readonly patients: readonly StoredScorablePatient[] }>([
          { $match: { _id: id } },
          { $project: { job: '$$ROOT' } },
          {
            $lookup: { from: patients.collection.name, localField: 'job.patient', foreignField: '_id', as: 'patients' },
          },
          { $project: { job: 1, patients: { _id: 1, ...scorablePatientFields } } },
        ])
        .toArray();
      const patient = found && (await decrypt(found.job.organization, found.patients[0]));
      return patient ? { job: found.job, patient } : null;
    },
    async patientRows(organization, ids, features) {
      const documents = await patients.collection
        .find<Uint8Array>(
          { _id: { $in: [...ids] }, organization },
          { projection: patientRowFields, batchSize: ids.length + 1, raw: true },
        )
        .toArray();
      const rows = collectPatientRows(documents, features);
      return { rows, read: await protectionOf(organization).reader(rows.dataKeys) };
    },
    async patientExists(id) {
      return (await findPatientId(id)) !== null;
    },
    async storePrediction(prediction) {
      const stored = await insertOnce(prediction);
      if (stored) await latestResults.keep(stored);
      return stored;
    },
    async erasePrediction(id) {
      await removeFromLog(predictions.collection, { _id: id });
    },
  };
}
