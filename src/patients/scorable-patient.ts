import type { Types } from 'mongoose';
import type { StoredPatient } from '../../models/index.js';
import type { FieldReader } from '../protection/protection.js';
import type { ModelSubject } from './model-inputs.js';
import { decryptBirthDate } from '../scope/patient-cipher.js';

/**
 * MongoDB projection of a scorable patient. It leaves out names and recording times, which are half of a patient's
 * document.
 */
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

/** The parts of a patient that a job needs: the inputs of models, and the care team with its grants. */
export type ScorablePatient = ModelSubject & Pick<StoredPatient, '_id' | 'careTeam' | 'breakGlass'>;

/** A patient's document as read with `scorablePatientFields`. */
export type StoredScorablePatient = Omit<ScorablePatient, 'birthDate'> &
  Pick<StoredPatient, 'organization' | 'dataKey' | 'birthDate'>;

/**
 * Makes the scorable patient of a document. The birth date is decrypted each time it is read. So a batch decrypts it
 * only for a model that computes the age from it.
 */
export const decryptScorablePatient = (read: FieldReader, stored: StoredScorablePatient): ScorablePatient =>
  new DecryptedPatient(read, stored);

class DecryptedPatient implements ScorablePatient {
  readonly _id: Types.ObjectId;
  readonly sex: ScorablePatient['sex'];
  readonly features: ScorablePatient['features'];
  readonly careTeam: ScorablePatient['careTeam'];
  readonly breakGlass: ScorablePatient['breakGlass'];

  constructor(
    private readonly read: FieldReader,
    private readonly stored: StoredScorablePatient,
  ) {
    this._id = stored._id;
    this.sex = stored.sex;
    this.features = stored.features;
    this.careTeam = stored.careTeam;
    this.breakGlass = stored.breakGlass;
  }

  get birthDate() {
    return decryptBirthDate(this.read, this._id, this.stored.birthDate);
  }
}
