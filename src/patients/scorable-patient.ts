import type { StoredPatient } from '../../models/index.js';
import type { FieldReader } from '../protection/protection.js';
import type { ModelSubject } from './model-inputs.js';
import { decryptBirthDate } from '../scope/patient-cipher.js';

/** MongoDB projection of a scorable patient: what tells who it is, and when its features were recorded, is half of a patient's document. */
export const scorablePatientFields = {
  organization: 1,
  dataKey: 1,
  birthDate: 1,
  sex: 1,
  'features.code': 1,
  'features.value': 1,
  careTeam: 1,
  breakGlass: 1,
} as const;

/** A patient as far as a job needs it: what a model may see, and to whom it is visible. */
export type ScorablePatient = ModelSubject & Pick<StoredPatient, '_id' | 'careTeam' | 'breakGlass'>;

/** What `scorablePatientFields` leave of the document. */
export type StoredScorablePatient = Omit<ScorablePatient, 'birthDate'> &
  Pick<StoredPatient, 'organization' | 'dataKey' | 'birthDate'>;

/** The patient of a document. The birth date is decrypted when it is looked at: a batch decrypts it only for a model that takes the age from it. */
export function decryptScorablePatient(
  read: FieldReader,
  { _id, sex, features, careTeam, breakGlass, birthDate }: StoredScorablePatient,
): ScorablePatient {
  return {
    _id,
    sex,
    features,
    careTeam,
    breakGlass,
    get birthDate() {
      return decryptBirthDate(read, _id, birthDate);
    },
  };
}
