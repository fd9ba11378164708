import type { Patient } from '../../models/index.js';
import type { FeatureCatalogue } from '../../src/patients/feature-catalogue.js';
import type { PatientType } from './patient.type.js';

/** What the API shows of a patient. Who may see which field is the permission rules' affair. */
export function toPatient(patient: Patient, catalogue: FeatureCatalogue): PatientType {
  return {
    id: patient._id.toHexString(),
    mrn: patient.mrn,
    givenName: patient.givenName ?? null,
    familyName: patient.familyName ?? null,
    birthDate: patient.birthDate ?? null,
    sex: patient.sex,
    features: patient.features.map(({ code, value, recordedAt }) => ({ code, value, recordedAt, unit: catalogue.get(code)?.unit ?? '' })),
    version: patient.version,
    createdAt: patient.createdAt,
    updatedAt: patient.updatedAt,
  };
}
