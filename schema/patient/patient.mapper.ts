import { breakGlassEnd } from '../../src/auth/care-team.js';
import type { Viewer } from '../../src/auth/viewer.js';
import type { BreakGlassAccess } from '../../src/patients/break-glass.js';
import { seesExactAge, shownAge, shownValue } from '../../src/patients/de-identification.js';
import type { Patient } from '../../src/scope/patient.js';
import { unchanging } from '../../src/scope/unchanging.js';
import type { FeatureCatalogue } from '../../src/patients/feature-catalogue.js';
import { ageInYears } from '../../src/patients/model-inputs.js';
import type { BreakGlassAccessType, PatientType } from './patient.type.js';

/** Maps a patient to the object that the API shows to a viewer. */
export type PatientMapper = (patient: Patient, viewer: Viewer | null) => PatientType;

/**
 * Creates the mapper of patients. The permission rules decide which fields a caller may see; ages are pooled here. Costly
 * work, above all decrypting, is done only when a caller asks for the field.
 */
export function createPatientMapper(catalogue: FeatureCatalogue): PatientMapper {
  const origins = new WeakMap<Patient, Origins>();
  /** Stands for all that the unchanging fields depend on (schema/unchanging-fields.ts). */
  function originOf(patient: Patient, viewer: Viewer | null): object | undefined {
    // Only a patient that was read with others is frozen. Any other one may change, and is mapped once.
    if (!Object.isFrozen(patient)) return undefined;
    const definitions = catalogue.definitions();
    let known = origins.get(patient);
    if (known?.definitions !== definitions) origins.set(patient, (known = { definitions, exact: {}, pooled: {} }));
    return seesExactAge(viewer) ? known.exact : known.pooled;
  }
  return (patient, viewer) => new ShownPatient(patient, viewer, catalogue, originOf(patient, viewer));
}

/** The same patient as viewers with and without the right to exact ages see it. */
interface Origins {
  readonly definitions: object;
  readonly exact: object;
  readonly pooled: object;
}

/** A class, because an object with as many getters of its own is slow to make. */
class ShownPatient implements PatientType {
  readonly [unchanging]: object | undefined;
  // Properties of their own, because type-graphql copies those alone for the resolvers of fields.
  readonly id: string;
  readonly latestResults: Patient['latestResults'];

  constructor(
    private readonly patient: Patient,
    private readonly viewer: Viewer | null,
    private readonly catalogue: FeatureCatalogue,
    origin: object | undefined,
  ) {
    this[unchanging] = origin;
    this.id = patient._id.toHexString();
    this.latestResults = patient.latestResults;
  }

  get mrn() {
    return this.patient.mrn;
  }
  get givenName() {
    return this.patient.givenName ?? null;
  }
  get familyName() {
    return this.patient.familyName ?? null;
  }
  get birthDate() {
    return this.patient.birthDate ?? null;
  }
  get age() {
    return shownAge(ageInYears(this.patient.birthDate, new Date()), this.viewer);
  }
  get sex() {
    return this.patient.sex;
  }
  get features() {
    return this.patient.features.map(({ code, value, recordedAt }) => {
      const feature = this.catalogue.get(code);
      return { code, value: shownValue(code, feature, value, this.viewer), recordedAt, unit: feature?.unit ?? '' };
    });
  }
  get careTeam() {
    return this.patient.careTeam ?? null;
  }
  get breakGlassExpiresAt() {
    return (this.viewer && breakGlassEnd(this.viewer, this.patient)) ?? null;
  }
  get version() {
    return this.patient.version;
  }
  get createdAt() {
    return this.patient.createdAt;
  }
  get updatedAt() {
    return this.patient.updatedAt;
  }
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
