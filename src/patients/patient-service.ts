import { Types } from 'mongoose';
import { AdministrativeGender, type RecordedFeature } from '../../models/index.js';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { careTeamAccess } from '../auth/care-team.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { isDuplicateKey } from '../storage/database.js';
import { BadUserInputError, ConflictError, ForbiddenError, NotFoundError } from '../errors.js';
import { idOrNone, parseInput, toObjectId } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import type { Page, PageOrder, PageRequest } from '../scope/pagination.js';
import { recordShown, refuseClosed } from './care-team-fence.js';
import type { FeatureCatalogue } from './feature-catalogue.js';
import type { Patient } from '../scope/patient.js';
import { createPatientSchema, updatePatientSchema, type CreatePatient, type UpdatePatient } from './patient-input.js';
import { authorizeFilter, parsePatientFilter, patientQuery, type PatientFilter } from './patient-filter.js';
import type { PatientCondition } from '../scope/patient-records.js';

/** Removes what hangs on a patient: predictions, and jobs that have not run yet. */
export type PatientErasure = (scope: OrganizationScope, patient: Types.ObjectId) => Promise<void>;

/**
 * Reads and writes the patients of the viewer's organization. All methods but `findMany` authorise first. `findMany`
 * serves the `patient` field of jobs and predictions, where the permission rules of the schema decide. It gives an
 * anonymous caller nothing.
 */
export interface PatientService {
  /** Null when there is none for this viewer. Give id or mrn. */
  find(
    viewer: Viewer | null,
    by: { readonly id?: string | null; readonly mrn?: string | null },
  ): Promise<Patient | null>;
  /** In the order of the ids; null where there is none. */
  findMany(viewer: Viewer | null, ids: readonly string[]): Promise<(Patient | null)[]>;
  list(viewer: Viewer | null, request: PageRequest, filter: PatientFilter, order?: PageOrder): Promise<Page<Patient>>;
  /** @throws BadUserInputError, ConflictError when the MRN is taken */
  create(viewer: Viewer | null, input: CreatePatient): Promise<Patient>;
  /** @throws BadUserInputError, NotFoundError, ConflictError when the version is not the present one or the MRN is taken */
  update(viewer: Viewer | null, input: UpdatePatient): Promise<Patient>;
  /** Erases the patient and its predictions. @throws NotFoundError, ForbiddenError for who is in the care team by breaking the glass alone */
  delete(viewer: Viewer | null, id: string): Promise<void>;
}

/** Who leaves themselves out could not open the patient any more. @throws BadUserInputError */
function refuseForeignTeam(viewer: Viewer, careTeam: readonly string[] | null | undefined): void {
  if (careTeam && !careTeam.includes(viewer.username))
    throw new BadUserInputError([
      { path: 'careTeam', message: 'must name yourself too, or you could not open the patient any more' },
    ]);
}

interface PatientServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly catalogue: FeatureCatalogue;
  readonly erase: PatientErasure;
}

export function createPatientService({ scopeOf, audit, catalogue, erase }: PatientServiceDependencies): PatientService {
  const mrnTaken = (): ConflictError =>
    new ConflictError('Another patient of your organization has this MRN: update that one, or use another MRN.');

  function refuseIssues(features: readonly { code: string; value: number | null }[]): void {
    const issues = catalogue.issues(features, 'features');
    if (issues.length > 0) throw new BadUserInputError(issues);
  }

  /** Nobody is shown a patient before it is recorded that they are. */
  const recordRead = (viewer: Viewer, shown: readonly (Patient | null)[]): Promise<void> =>
    recordShown(
      audit,
      viewer,
      'patient:read',
      shown.flatMap((patient) =>
        patient ? [{ id: patient._id.toHexString(), access: careTeamAccess(viewer, patient) }] : [],
      ),
    );
  /** Whoever looks for somebody by MRN or name and finds nobody has learnt something too: that they are no patient here. */
  const recordSearch = async (
    viewer: Viewer,
    { mrn, familyName }: Pick<PatientFilter, 'mrn' | 'familyName'>,
  ): Promise<void> => {
    if (mrn != null || familyName != null) await audit.record(viewer, { action: 'patient:read', outcome: 'ALLOWED' });
  };
  const isFlagged = (viewer: Viewer, patient: Patient): { flagged: boolean } => ({
    flagged: careTeamAccess(viewer, patient) === 'BREAK_GLASS',
  });

  /** Breaking the glass is for reading and treating: what is erased cannot be reviewed, and no emergency asks for it. @throws ForbiddenError */
  async function refuseEmergencyErasure(viewer: Viewer, patient: Patient): Promise<void> {
    if (careTeamAccess(viewer, patient) === 'ALLOWED') return;
    // Here and not where refusals are recorded: this one is flagged.
    await audit.record(viewer, {
      action: 'patient:delete',
      outcome: 'DENIED',
      patientIds: [patient._id.toHexString()],
      flagged: true,
    });
    throw new ForbiddenError(
      'Emergency access is for reading and treating: ask the care team of this patient to delete it.',
    );
  }

  return {
    async find(viewer, { id, mrn }) {
      authorize(viewer, 'patient:read');
      authorizeFilter(viewer, { mrn });
      if ((id == null) === (mrn == null))
        throw new BadUserInputError([{ path: 'id', message: 'give either id or mrn' }]);
      const scope = scopeOf(viewer);
      const wanted: PatientCondition = mrn != null ? { mrn } : { _id: idOrNone(id!) };
      const patient = await scope.patients.findOne(wanted);
      if (!patient) await refuseClosed(scope, wanted);
      await (patient ? recordRead(viewer, [patient]) : recordSearch(viewer, { mrn }));
      return patient;
    },

    async findMany(viewer, ids) {
      if (!viewer) return ids.map(() => null);
      const found = await scopeOf(viewer).patients.findMany(ids.map(idOrNone));
      await recordRead(viewer, found);
      return found;
    },

    async list(viewer, request, filter, order) {
      authorize(viewer, 'patient:read');
      authorizeFilter(viewer, filter);
      const page = await scopeOf(viewer).patients.page(request, patientQuery(parsePatientFilter(filter)), order);
      await (page.edges.length > 0
        ? recordRead(
            viewer,
            page.edges.map(({ node }) => node),
          )
        : recordSearch(viewer, filter));
      return page;
    },

    async create(viewer, input) {
      authorize(viewer, 'patient:write');
      const { features, sex, ...identity } = parseInput(createPatientSchema, input);
      refuseIssues(features ?? []);
      refuseForeignTeam(viewer, identity.careTeam);
      const now = new Date();
      const patient = {
        _id: new Types.ObjectId(),
        ...applyUpdate(identity),
        mrn: identity.mrn,
        sex: sex ?? AdministrativeGender.UNKNOWN,
        features: mergeFeatures([], features ?? [], now),
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      try {
        return await recorded(audit, viewer, { action: 'patient:write', patientIds: [patient._id.toHexString()] }, () =>
          scopeOf(viewer).patients.insert(patient),
        );
      } catch (error) {
        throw isDuplicateKey(error) ? mrnTaken() : error;
      }
    },

    async update(viewer, input) {
      authorize(viewer, 'patient:write');
      const { id, expectedVersion, features, ...changes } = parseInput(updatePatientSchema, input);
      refuseIssues(features ?? []);
      const _id = toObjectId(id);
      const scope = scopeOf(viewer);
      const current = _id && (await scope.patients.findOne({ _id }));
      if (_id && !current) await refuseClosed(scope, { _id }, 'patient:write');
      if (!current) throw new NotFoundError('This patient');
      if (changes.careTeam !== undefined && careTeamAccess(viewer, current) !== 'ALLOWED')
        throw new ForbiddenError(
          'Only the care team of a patient may change it: ask one of its members.',
          'patient:write',
          id,
        );
      refuseForeignTeam(viewer, changes.careTeam);
      const now = new Date();
      const update = {
        ...changes,
        features: mergeFeatures(current.features, features ?? [], now),
        updatedAt: now,
        version: expectedVersion + 1,
      };
      try {
        return await recorded(
          audit,
          viewer,
          { action: 'patient:write', patientIds: [id], ...isFlagged(viewer, current) },
          async () => {
            const updated = current.version === expectedVersion ? await scope.patients.update(current, update) : null;
            if (updated) return updated;
            throw new ConflictError(
              `The patient was changed by somebody else (expected version ${expectedVersion}): read it again and repeat the change.`,
            );
          },
        );
      } catch (error) {
        throw isDuplicateKey(error) ? mrnTaken() : error;
      }
    },

    async delete(viewer, id) {
      authorize(viewer, 'patient:delete');
      const _id = toObjectId(id);
      const scope = scopeOf(viewer);
      const patient = _id && (await scope.patients.findOne({ _id }));
      if (_id && !patient) await refuseClosed(scope, { _id }, 'patient:delete');
      if (!patient) throw new NotFoundError('This patient');
      await refuseEmergencyErasure(viewer, patient);
      // Twice: should we die half-way, the patient is still there to be deleted again; the second time takes what a
      // running job stored meanwhile.
      // The event is what is left of the patient: an id that leads nowhere any more.
      await recorded(audit, viewer, { action: 'patient:delete', patientIds: [id] }, async () => {
        await erase(scope, patient._id);
        await scope.patients.deleteMany({ _id: patient._id });
        await erase(scope, patient._id);
      });
    },
  };
}

/** The fields to write: those that were given and are not null. */
function applyUpdate<T extends object>(changes: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** The values after an update: those given replace the old ones of the same code, null removes, the rest stay. */
function mergeFeatures(
  present: readonly RecordedFeature[],
  given: readonly { readonly code: string; readonly value: number | null }[],
  now: Date,
): RecordedFeature[] {
  const replaced = new Set(given.map((feature) => feature.code));
  const recorded = given.flatMap(({ code, value }) => (value === null ? [] : [{ code, value, recordedAt: now }]));
  return [...present.filter((feature) => !replaced.has(feature.code)), ...recorded];
}
