/*
 * The care-team fence: keeps patients, and results about them, from clinicians outside of the care team.
 *
 * - Fence: the check between what is stored and what a viewer gets. Services pass their results through it.
 * - Visible: a patient is visible to a viewer when `careTeamAccess` (src/auth/care-team.ts) gives ALLOWED or
 *   BREAK_GLASS.
 * - Closed: a patient of the organization is closed to a viewer when it is not visible to them (DENIED).
 * - Grant: access that breaking the glass gave to a viewer for a time (break-glass.ts).
 *
 * Step by step, for results that a service has found:
 *
 *   1. The fence collects the ids of their patients, each id once.
 *   2. It reads the care teams and grants of those patients in one query, and only if the viewer is a clinician.
 *   3. It puts null in the place of each result whose patient is closed.
 *   4. It records in the audit trail the patients that are about to be shown. Patients seen by a grant are flagged.
 *   5. Only then does the service show the results.
 *
 * Lists and batches leave closed patients out of the query itself. When they are few, the query excludes their ids
 * (`fewClosedPatientIds`). Otherwise the service goes through all visible ids (`visiblePatientIds`).
 */
import { Types, type QueryFilter } from 'mongoose';
import { Role, type StoredPatient } from '../../models/index.js';
import { type AuditAction, type AuditTrail, recordRead } from '../audit/audit-trail.js';
import { careTeamAccess, visiblePatients, type CareTeamAccess } from '../auth/care-team.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { ForbiddenError } from '../errors.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { PatientCondition } from '../scope/patient-records.js';

/**
 * The refusal of a patient that exists but is closed. The audit trail records its id; the message leaves the id out.
 */
export const outsideCareTeam = (action: Action = 'patient:read', patientId?: string): ForbiddenError =>
  new ForbiddenError(
    'You are not in the care team of this patient: ask to be added to it, or call breakGlass with a reason.',
    action,
    patientId,
  );

/**
 * Refuses a patient that exists but is closed. Called after a search among the visible patients found none.
 * @throws ForbiddenError when a patient of the organization meets the condition
 */
export async function refuseClosed(
  { everyPatient }: OrganizationScope,
  condition: PatientCondition,
  action?: Action,
): Promise<void> {
  for await (const [id] of everyPatient.ids(condition)) throw outsideCareTeam(action, id!.toHexString());
}

/** A filter for the patients that are closed to this viewer; undefined when this role sees every patient. */
function closedPatients(viewer: Viewer): QueryFilter<StoredPatient> | undefined {
  const visible = visiblePatients(viewer);
  return visible && ({ $and: [{ careTeam: { $exists: true } }, { $nor: [visible] }] } as QueryFilter<StoredPatient>);
}

/** Ids of the patients that are closed to this viewer; undefined when there are more than `atMost`. */
export async function fewClosedPatientIds(
  { careTeams }: OrganizationScope,
  viewer: Viewer,
  atMost: number,
): Promise<Types.ObjectId[] | undefined> {
  const closed = closedPatients(viewer);
  const found = closed ? await careTeams.find(closed, { projection: { _id: 1 }, limit: atMost + 1 }) : [];
  return found.length > atMost ? undefined : found.map(({ _id }) => _id);
}

/**
 * Ids of the patients that match and are visible to this viewer, some thousands at a time. It gives the same ids as
 * `patients.ids`, but MongoDB needs only an index for it. The closed patients are read first: they are usually very
 * few.
 */
export async function* visiblePatientIds(
  scope: OrganizationScope,
  viewer: Viewer,
  condition: PatientCondition,
): AsyncGenerator<readonly Types.ObjectId[]> {
  const filter = closedPatients(viewer);
  const closed = new Set(filter ? (await collect(scope.careTeams.ids(filter))).map((id) => id.toHexString()) : []);
  for await (const ids of scope.everyPatient.ids(condition))
    yield closed.size === 0 ? ids : ids.filter((id) => !closed.has(id.toHexString()));
}

/** Selects the given patients that are visible to this viewer, in the same order. */
export async function visibleAmong(
  scope: OrganizationScope,
  viewer: Viewer,
  ids: readonly Types.ObjectId[],
): Promise<Types.ObjectId[]> {
  const access = await accessById(
    scope,
    viewer,
    ids.map((id) => id.toHexString()),
  );
  return ids.filter((id) => access(id.toHexString()) !== 'DENIED');
}

async function collect<T>(parts: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const part of parts) all.push(...part);
  return all;
}

/** A result about one patient. */
export interface OfPatient {
  readonly patient: Types.ObjectId;
}

/** A result about one patient, or about no single patient (a batch job, for example). */
export interface MaybeOfPatient {
  readonly patient?: Types.ObjectId;
}

/** A viewer's access to patients that were asked for, by hexadecimal id. */
export type AccessById = (id: string) => CareTeamAccess;

/** Decides which results a viewer may see. For services that hold ids of patients but not the patients. */
export interface CareTeamFence {
  /** Access of the viewer to a patient. A result about no patient is ALLOWED. */
  access(viewer: Viewer, patient: Types.ObjectId | undefined): Promise<CareTeamAccess>;
  /** Does the same for several patients. A caller that knows the patients of its results reads both at the same time. */
  accessTo(viewer: Viewer, patients: readonly Types.ObjectId[]): Promise<AccessById>;
  /**
   * Leaves out results about closed patients. Use it for results that tell only that a patient exists. It records only
   * the results seen by a grant, and flags them.
   * @returns the results in the same order; null for each that was null or whose patient is closed
   */
  admit<T extends MaybeOfPatient>(
    viewer: Viewer,
    action: AuditAction,
    results: readonly (T | null)[],
  ): Promise<(T | null)[]>;
  /**
   * Leaves out results about closed patients. Records that the other results are about to be shown.
   * @param access to the patients of the results, when the caller has read it for this request
   * @returns the results in the same order; null for each that was null or whose patient is closed
   */
  show<T extends OfPatient>(
    viewer: Viewer,
    action: AuditAction,
    results: readonly (T | null)[],
    access?: AccessById,
  ): Promise<(T | null)[]>;
  /**
   * Records that a result is about to be shown to a viewer who may see its patient, while the result is being read. If that
   * fails, or there is none, a failure is recorded too.
   */
  showWhileReading<T extends OfPatient>(
    viewer: Viewer,
    action: AuditAction,
    patient: Types.ObjectId,
    reading: Promise<T | null>,
  ): Promise<T | null>;
  /**
   * Does the same as `show` for one result that the viewer asked for by id. If its patient is closed, a denial is
   * recorded. The same is done when there is no result, so that the time of the answer does not tell the two apart.
   */
  showNamed<T extends OfPatient>(viewer: Viewer, action: AuditAction, result: T | null): Promise<T | null>;
  /**
   * Does for an object that does not exist what is done for one whose patient is closed: reads a care team, and records
   * a denial. Nothing is done for viewers to whom no patient can be closed.
   */
  denyAbsent(viewer: Viewer, action: AuditAction): Promise<void>;
  /** Does work on a result after `show` recorded it. If the work fails, the failure is recorded too. */
  afterShown<T>(viewer: Viewer, action: AuditAction, patient: Types.ObjectId, work: () => Promise<T>): Promise<T>;
}

export function createCareTeamFence(scopeOf: (viewer: Viewer) => OrganizationScope, audit: AuditTrail): CareTeamFence {
  const fence: CareTeamFence = {
    async access(viewer, patient) {
      const id = patient?.toHexString();
      return id === undefined ? 'ALLOWED' : (await accessById(scopeOf(viewer), viewer, [id]))(id);
    },
    accessTo: (viewer, patients) =>
      accessById(
        scopeOf(viewer),
        viewer,
        patients.map((id) => id.toHexString()),
      ),
    async admit(viewer, action, results) {
      const ids = patientsOf(results);
      const access = await accessById(scopeOf(viewer), viewer, ids);
      await recordRead(
        audit,
        viewer,
        action,
        ids.filter((id) => access(id) === 'BREAK_GLASS'),
        { flagged: true },
      );
      return results.map((result) =>
        result?.patient && access(result.patient.toHexString()) === 'DENIED' ? null : result,
      );
    },
    async show(viewer, action, results, known) {
      const ids = patientsOf(results);
      const access = known ?? (await accessById(scopeOf(viewer), viewer, ids));
      const shown = results.map((result) =>
        result && access(result.patient.toHexString()) !== 'DENIED' ? result : null,
      );
      await recordShown(
        audit,
        viewer,
        action,
        ids.map((id) => ({ id, access: access(id) })).filter((patient) => patient.access !== 'DENIED'),
      );
      return shown;
    },
    async showWhileReading(viewer, action, patient, reading) {
      const recording = recordShown(audit, viewer, action, [{ id: patient.toHexString(), access: 'ALLOWED' }]);
      const [result] = await fence.afterShown(viewer, action, patient, () => Promise.all([reading, recording]));
      if (!result) await recordFailure(viewer, action, patient);
      return result;
    },
    async showNamed(viewer, action, result) {
      if (!result) {
        await fence.denyAbsent(viewer, action);
        return null;
      }
      const [shown] = await fence.show(viewer, action, [result]);
      if (shown) return shown;
      await audit.record(viewer, { action, outcome: 'DENIED', patientIds: [result.patient.toHexString()] });
      return null;
    },
    async denyAbsent(viewer, action) {
      if (viewer.role !== Role.CLINICIAN) return;
      await fence.access(viewer, new Types.ObjectId());
      await audit.record(viewer, { action, outcome: 'DENIED' });
    },
    async afterShown(viewer, action, patient, work) {
      try {
        return await work();
      } catch (error) {
        await recordFailure(viewer, action, patient).catch(() => undefined);
        throw error;
      }
    },
  };
  async function recordFailure(viewer: Viewer, action: AuditAction, patient: Types.ObjectId): Promise<void> {
    const flagged = (await fence.access(viewer, patient)) !== 'ALLOWED';
    await audit.record(viewer, { action, outcome: 'FAILED', patientIds: [patient.toHexString()], flagged });
  }
  return fence;
}

/** Ids of the results' patients in hexadecimal, each once. */
const patientsOf = (results: readonly (MaybeOfPatient | null)[]): string[] => [
  ...new Set(results.flatMap((result) => result?.patient?.toHexString() ?? [])),
];

/** Reads the care teams and grants of some patients. @returns the viewer's access to each of them, by hexadecimal id */
async function accessById(scope: OrganizationScope, viewer: Viewer, ids: readonly string[]): Promise<AccessById> {
  if (viewer.role !== Role.CLINICIAN || ids.length === 0) return () => 'ALLOWED';
  const teams = await scope.careTeamsOf(ids.map((id) => new Types.ObjectId(id)));
  const byId = new Map(teams.map((patient) => [patient._id.toHexString(), careTeamAccess(viewer, patient)]));
  const asked = new Set(ids);
  return (id) => {
    if (!asked.has(id)) throw new Error('the access to this patient was not read');
    return byId.get(id) ?? 'ALLOWED';
  };
}

/**
 * Records the patients that are about to be shown. Patients seen by a grant get an event of their own, which is
 * flagged. A grant may expire after the access was looked up: its patients are still shown, so they are flagged too.
 */
export async function recordShown(
  audit: AuditTrail,
  viewer: Viewer,
  action: AuditAction,
  patients: readonly { readonly id: string; readonly access: CareTeamAccess }[],
): Promise<void> {
  const idsOf = (flagged: boolean): string[] =>
    patients.flatMap(({ id, access }) => ((access !== 'ALLOWED') === flagged ? [id] : []));
  await recordRead(audit, viewer, action, idsOf(false));
  await recordRead(audit, viewer, action, idsOf(true), { flagged: true });
}
