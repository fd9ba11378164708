import type { Types } from 'mongoose';
import type { Models, Patient, Prediction } from '../../models/index.js';
import { isDuplicateKey } from '../database.js';
import { groupedFind, groupedInsert } from '../group-queries.js';
import { patientRecordFields, type PatientRecord } from '../patients/model-inputs.js';

/** A patient as far as a risk model needs it. */
export type ScorablePatient = PatientRecord & Pick<Patient, '_id' | 'organization'>;

/** What single jobs read and write beside themselves. Jobs that run at the same time share their round trips. */
export interface ScoringRecords {
  /** Null when the organization has no such patient. */
  patient(organization: Types.ObjectId, id: Types.ObjectId): Promise<ScorablePatient | null>;
  patientExists(id: Types.ObjectId): Promise<boolean>;
  /** @returns the prediction as stored: the earlier one where the job has scored this patient before */
  storePrediction(prediction: Prediction): Promise<Prediction>;
  erasePrediction(id: Types.ObjectId): Promise<void>;
}

export function createScoringRecords({ patients, predictions }: Models): ScoringRecords {
  const findPatient = groupedFind<Patient, ScorablePatient>(patients, { organization: 1, ...patientRecordFields });
  const findPatientId = groupedFind<Patient>(patients, { _id: 1 });
  const insertPrediction = groupedInsert<Prediction>(predictions);
  return {
    async patient(organization, id) {
      const patient = await findPatient(id);
      return patient?.organization.equals(organization) ? patient : null;
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
