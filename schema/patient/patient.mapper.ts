import type { Patient } from '../../src/patients/patient.js';
import type { FeatureCatalogue } from '../../src/patients/feature-catalogue.js';
import type { PatientType } from './patient.type.js';

/**
 * What the API shows of a patient. Who may see which field is the permission rules' affair. What costs something is done
 * when a caller asks for the field: decrypting above all.
 */
export function toPatient(patient: Patient, catalogue: FeatureCatalogue): PatientType {
  return {
    id: patient._id.toHexString(),
    get mrn() {
      return patient.mrn;
    },
    get givenName() {
      return patient.givenName ?? null;
    },
    get familyName() {
      return patient.familyName ?? null;
    },
    get birthDate() {
      return patient.birthDate ?? null;
    },
    sex: patient.sex,
    get features() {
      return patient.features.map(({ code, value, recordedAt }) => ({ code, value, recordedAt, unit: catalogue.get(code)?.unit ?? '' }));
    },
    version: patient.version,
    createdAt: patient.createdAt,
    updatedAt: patient.updatedAt,
  };
}
