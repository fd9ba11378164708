import type { BreakGlassAccess, Patient } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { shownAge, shownValue } from '../../src/patients/de-identification.js';
import type { FeatureCatalogue } from '../../src/patients/feature-catalogue.js';
import { ageInYears } from '../../src/patients/model-inputs.js';
import type { BreakGlassAccessType, PatientType } from './patient.type.js';

/** What the API shows of a patient. Who may see which field is the permission rules' affair; ages are pooled here. */
export function toPatient(patient: Patient, catalogue: FeatureCatalogue, viewer: Viewer | null): PatientType {
  return {
    id: patient._id.toHexString(),
    mrn: patient.mrn,
    givenName: patient.givenName ?? null,
    familyName: patient.familyName ?? null,
    birthDate: patient.birthDate ?? null,
    age: shownAge(ageInYears(patient.birthDate, new Date()), viewer),
    sex: patient.sex,
    features: patient.features.map(({ code, value, recordedAt }) => {
      const feature = catalogue.get(code);
      return { code, value: shownValue(code, feature, value, viewer), recordedAt, unit: feature?.unit ?? '' };
    }),
    careTeam: patient.careTeam ?? null,
    version: patient.version,
    createdAt: patient.createdAt,
    updatedAt: patient.updatedAt,
  };
}

export function toBreakGlassAccess({ _id, patient, username, reason, grantedAt, expiresAt }: BreakGlassAccess): BreakGlassAccessType {
  return { id: _id.toHexString(), patientId: patient.toHexString(), username, reason, grantedAt, expiresAt };
}
