/*
 * The patient service: reads, writes and erases the patients of one organization. The steps of its methods:
 *
 *   1. Checks that the viewer may do the action (`authorize`), then checks the input.
 *   2. Looks for the patient among those that are visible to the viewer (care-team-fence.ts).
 *   3. If none is found, checks whether the patient exists but is closed: FORBIDDEN then, otherwise NOT_FOUND or null.
 *   4. Records the action in the audit trail, before the patient is shown or changed. A grant flags the event.
 *   5. Shows or writes the patient. A write that fails is recorded too.
 */
import type { Types } from 'mongoose';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { careTeamAccess } from '../auth/care-team.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { isDuplicateKey } from '../storage/database.js';
import { BadUserInputError, ConflictError, NotFoundError } from '../errors.js';
import { checkAll, idOrNone, parseInput, toObjectId } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import type { Page, PageOrder, PageRequest } from '../scope/pagination.js';
import { openVacantTeams } from '../scope/vacant-care-teams.js';
import { recordShown, refuseClosed } from './care-team-fence.js';
import { ownTeamIssues, refuseUnknownMembers } from './care-team-service.js';
import { refuseEmergencyChange, refuseEmergencyErasure } from './emergency-limits.js';
import { refuseFeatures, type FeatureCatalogue } from './feature-catalogue.js';
import type { Patient } from '../scope/patient.js';
import type { LatestConditions, LatestOrder } from './latest-conditions.js';
import {
  careTeamSchema,
  createPatientSchema,
  updatePatientSchema,
  type CreatePatient,
  type UpdatePatient,
} from './patient-input.js';
import { mergeFeatures, newPatient } from './patient-changes.js';
import {
  authorizeFilter,
  isSearch,
  parsePatientFilter,
  patientQuery,
  requirePrefixSearch,
  type PatientFilter,
} from './patient-filter.js';
import type { PatientCondition } from '../scope/patient-records.js';

/** The order of a list: by a time of the patient, or by its latest result. */
export type PatientListOrder = PageOrder | LatestOrder;

/** Removes everything that belongs to a patient: its predictions, and its jobs that have not run yet. */
export type PatientErasure = (scope: OrganizationScope, patient: Types.ObjectId) => Promise<void>;

/**
 * Reads and writes the patients of the viewer's organization. All methods except `findMany` authorise first. `findMany`
 * serves the `patient` field of jobs and predictions: there the permission rules of the schema decide. An anonymous
 * caller gets only nulls from it.
 */
export interface PatientService {
  /**
   * Finds one patient by id or by MRN; exactly one of them must be given. Null when the organization has no such
   * patient.
   * @throws BadUserInputError, ForbiddenError when the patient is closed to the viewer
   */
  find(
    viewer: Viewer | null,
    by: { readonly id?: string | null; readonly mrn?: string | null },
  ): Promise<Patient | null>;
  /** The patients in the order of the ids; null for each that does not exist or is closed to the viewer. */
  findMany(viewer: Viewer | null, ids: readonly string[]): Promise<(Patient | null)[]>;
  /**
   * Lists the patients that match and are visible to the viewer.
   * @throws BadUserInputError, ForbiddenError for a filter by name or MRN without the right to names, or one by latest
   *   results without the right to predictions, ServiceUnavailableError while latest results are still collected
   */
  list(
    viewer: Viewer | null,
    request: PageRequest,
    filter: PatientFilter,
    order?: PatientListOrder,
  ): Promise<Page<Patient>>;
  /** Creates a patient. @throws BadUserInputError, ConflictError when the MRN is taken */
  create(viewer: Viewer | null, input: CreatePatient): Promise<Patient>;
  /**
   * Changes a patient. The event is flagged when it gives a care team to a patient without one.
   * @throws BadUserInputError, NotFoundError, ConflictError when `expectedVersion` is not the current version or the
   *   MRN is taken, ForbiddenError when the patient is closed to the viewer, or a viewer with only a grant changes the
   *   identity or the care team, or removes a value
   */
  update(viewer: Viewer | null, input: UpdatePatient): Promise<Patient>;
  /**
   * Erases the patient and its predictions.
   * @throws NotFoundError, ForbiddenError when the patient is closed to the viewer, or visible only by a grant
   */
  delete(viewer: Viewer | null, id: string): Promise<void>;
}

interface PatientServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly catalogue: FeatureCatalogue;
  readonly erase: PatientErasure;
  readonly latestConditions: LatestConditions;
}

export function createPatientService({
  scopeOf,
  audit,
  catalogue,
  erase,
  latestConditions,
}: PatientServiceDependencies): PatientService {
  const mrnTaken = (): ConflictError =>
    new ConflictError('mrn', 'Another patient of your organization has this MRN: update that one, or use another MRN.');

  /** Records that patients are about to be shown. Every method calls it before it returns patients. */
  const recordRead = (viewer: Viewer, shown: readonly (Patient | null)[], now = new Date()): Promise<void> =>
    recordShown(
      audit,
      viewer,
      'patient:read',
      shown.flatMap((patient) =>
        patient ? { id: patient._id.toHexString(), access: careTeamAccess(viewer, patient, now) } : [],
      ),
    );
  /** Records a search by MRN or name that found no patient: its caller learns that this person is no patient here. */
  const recordSearch = async (viewer: Viewer, filter: PatientFilter): Promise<void> => {
    if (isSearch(filter)) await audit.record(viewer, { action: 'patient:read', outcome: 'ALLOWED' });
  };
  const isFlagged = (viewer: Viewer, patient: Patient): { flagged: boolean } => ({
    flagged: careTeamAccess(viewer, patient) === 'BREAK_GLASS',
  });

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
      const latestOrder = order && 'latest' in order ? order : undefined;
      if (latestOrder) authorize(viewer, 'prediction:read');
      const scope = scopeOf(viewer);
      const [checked] = await checkAll(
        () => parsePatientFilter(filter),
        () => {
          // The cursor of a list in the order of the latest result is checked when its model is known.
          if (!latestOrder) scope.patients.checkPage(request, order && 'field' in order ? order : undefined);
        },
      );
      const latest = await latestConditions(checked, latestOrder);
      await requirePrefixSearch(scope, checked);
      const page = await scope.patients.page(
        request,
        { ...patientQuery(checked), ...latest.condition },
        latest.order ?? (order && 'field' in order ? order : undefined),
      );
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
      const scope = scopeOf(viewer);
      const [given] = await checkAll(
        () => parseInput(createPatientSchema, input),
        () => refuseFeatures(catalogue, input.features),
        () => refuseTeam(scope, viewer, teamOf(input)),
      );
      const patient = newPatient(given, new Date());
      try {
        return await recorded(
          audit,
          viewer,
          { action: 'patient:write', patientIds: [patient._id.toHexString()] },
          async () => {
            const created = await scope.patients.insert(patient);
            if (given.careTeam) await openVacantTeams(scope, { _id: patient._id });
            return created;
          },
        );
      } catch (error) {
        throw isDuplicateKey(error) ? mrnTaken() : error;
      }
    },

    async update(viewer, input) {
      authorize(viewer, 'patient:write');
      const _id = toObjectId(input.id);
      const scope = scopeOf(viewer);
      const current = _id && (await scope.patients.findOne({ _id }));
      const [{ id, expectedVersion, features, ...changes }] = await checkAll(
        () => parseInput(updatePatientSchema, input),
        () => refuseFeatures(catalogue, input.features),
        () => refuseTeam(scope, viewer, teamOf(input), current?.careTeam),
      );
      if (_id && !current) await refuseClosed(scope, { _id }, 'patient:write');
      if (!current) throw new NotFoundError('This patient');
      if (isFlagged(viewer, current).flagged) await refuseEmergencyChange(audit, viewer, id, { ...changes, features });
      // A clinician who gives a team to a patient that all could see closes the patient to colleagues.
      const takes = changes.careTeam != null && current.careTeam === undefined;
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
          { action: 'patient:write', patientIds: [id], flagged: takes || isFlagged(viewer, current).flagged },
          async () => {
            const updated = current.version === expectedVersion ? await scope.patients.update(current, update) : null;
            if (updated && changes.careTeam) await openVacantTeams(scope, { _id: current._id });
            if (updated) return updated;
            throw new ConflictError(
              'expectedVersion',
              `The patient was changed meanwhile (expected version ${expectedVersion}): read it again and repeat the ` +
                'change.',
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
      if (isFlagged(viewer, patient).flagged) await refuseEmergencyErasure(audit, viewer, id);
      // The erasure runs before and after the patient's document is deleted. If the process dies after the first run,
      // the patient still exists and can be deleted again. The second run removes results that a running job stored
      // meanwhile. The audit event remains. It holds only an id, which belongs to no document any more.
      await recorded(audit, viewer, { action: 'patient:delete', patientIds: [id] }, async () => {
        await erase(scope, patient._id);
        await scope.patients.deleteMany({ _id: patient._id });
        await erase(scope, patient._id);
      });
    },
  };
}

/** The care team of an input, as usernames are stored. Undefined when it has none of the right form. */
const teamOf = ({ careTeam }: { readonly careTeam?: unknown }): readonly string[] | null | undefined =>
  careTeamSchema.safeParse(careTeam).data;

/**
 * Refuses a care team without the viewer, who could not see the patient afterwards, and one with unknown names.
 * @param present the team before; its members stay accepted
 * @throws BadUserInputError
 */
async function refuseTeam(
  scope: OrganizationScope,
  viewer: Viewer,
  careTeam: readonly string[] | null | undefined,
  present: readonly string[] = [],
): Promise<void> {
  if (!careTeam) return;
  const issues = ownTeamIssues(careTeam, viewer);
  if (issues.length > 0) throw new BadUserInputError(issues);
  await refuseUnknownMembers(scope, careTeam, [viewer.username, ...present]);
}
