import type { Types } from 'mongoose';
import type { Models, Prediction, StoredPatient } from '../../models/index.js';
import { isDuplicateKey } from '../database.js';
import { groupedFind, groupedInsert } from '../group-queries.js';
import { openScorablePatient, scorablePatientFields, type ScorablePatient, type StoredScorablePatient } from '../patients/scorable-patient.js';
import type { ProtectionOf } from '../protection/protection.js';

/** What jobs read and write beside themselves. Single jobs that run at the same time share their round trips. */
export interface ScoringRecords {
  /** Null when the organization has no such patient. */
  patient(organization: Types.ObjectId, id: Types.ObjectId): Promise<ScorablePatient | null>;
  /** Those of the ids that the organization has. */
  patients(organization: Types.ObjectId, ids: readonly Types.ObjectId[]): Promise<ScorablePatient[]>;
  patientExists(id: Types.ObjectId): Promise<boolean>;
  /** @returns the prediction as stored: the earlier one where the job has scored this patient before */
  storePrediction(prediction: Prediction): Promise<Prediction>;
  erasePrediction(id: Types.ObjectId): Promise<void>;
}

export function createScoringRecords({ patients, predictions }: Models, protectionOf: ProtectionOf): ScoringRecords {
  const findPatient = groupedFind<StoredPatient, StoredScorablePatient>(patients, scorablePatientFields);
  const findPatientId = groupedFind<StoredPatient>(patients, { _id: 1 });
  const insertPrediction = groupedInsert<Prediction>(predictions);
  return {
    async patient(organization, id) {
      const stored = await findPatient(id);
      return stored?.organization.equals(organization) ? openScorablePatient(await protectionOf(organization).reader([stored.dataKey]), stored) : null;
    },
    async patients(organization, ids) {
      const stored = await patients.collection
        .find<StoredScorablePatient>({ _id: { $in: [...ids] }, organization }, { projection: scorablePatientFields, batchSize: ids.length + 1 })
        .toArray();
      const read = await protectionOf(organization).reader(stored.map(({ dataKey }) => dataKey));
      return stored.map((patient) => openScorablePatient(read, patient));
    },
    async patientExists(id) {
      return (await findPatientId(id)) !== null;
    },
    async storePrediction(prediction) {
      try {
        await insertPrediction(prediction);
        return prediction;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return predictions.findOne({ job: prediction.job, patient: prediction.patient }).lean<Prediction>().orFail();
      }
    },
    async erasePrediction(id) {
      await predictions.deleteOne({ _id: id });
    },
  };
}
