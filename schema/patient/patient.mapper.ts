import { breakGlassEnd } from '../../src/auth/care-team.js';
import type { Viewer } from '../../src/auth/viewer.js';
import type { BreakGlassAccess } from '../../src/patients/break-glass.js';
import { shownAge, shownValue } from '../../src/patients/de-identification.js';
import type { Patient } from '../../src/scope/patient.js';
import type { FeatureCatalogue } from '../../src/patients/feature-catalogue.js';
import { ageInYears } from '../../src/patients/model-inputs.js';
import type { BreakGlassAccessType, PatientType } from './patient.type.js';

/**
 * Maps a patient to the object that the API shows. The permission rules decide which fields a caller may see; ages are
 * pooled here. Costly work, above all decrypting, is done only when a caller asks for the field.
 */
export function toPatient(patient: Patient, catalogue: FeatureCatalogue, viewer: Viewer | null): PatientType {
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
    get age() {
      return shownAge(ageInYears(patient.birthDate, new Date()), viewer);
    },
    sex: patient.sex,
    get features() {
      return patient.features.map(({ code, value, recordedAt }) => {
        const feature = catalogue.get(code);
        return { code, value: shownValue(code, feature, value, viewer), recordedAt, unit: feature?.unit ?? '' };
      });
    },
    careTeam: patient.careTeam ?? null,
    breakGlassExpiresAt: (viewer && breakGlassEnd(viewer, patient)) ?? null,
    version: patient.version,
    createdAt: patient.createdAt,
    updatedAt: patient.updatedAt,
    latestResults: patient.latestResults,
  };
}

export function toBreakGlassAccess({
  _id,
  patient,
  username,
  reason,
  grantedAt,
  expiresAt,
}: BreakGlassAccess): BreakGlassAccessType {
  return { id: _id.toHexString(), patientId: patient.toHexString(), username, reason, grantedAt, expiresAt };
}
