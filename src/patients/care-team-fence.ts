import { Types, type QueryFilter } from 'mongoose';
import { Role, type StoredPatient } from '../../models/index.js';
import { type AuditAction, type AuditTrail, recordRead } from '../audit/audit-trail.js';
import { careTeamAccess, visiblePatients, type CareTeamAccess } from '../auth/care-team.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { ForbiddenError } from '../errors.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { PatientCondition } from '../scope/patient-records.js';

/** Why a patient that is there is not shown. The audit trail learns whose it was; the caller is not told the id. */
export const outsideCareTeam = (action: Action = 'patient:read', patientId?: string): ForbiddenError =>
  new ForbiddenError(
    'You are not in the care team of this patient: ask to be added to it, or open the patient with breakGlass and a reason.',
    action,
    patientId,
  );

/**
 * Tells a patient that is closed from one that is not there.
 * @throws ForbiddenError for one that is closed
 */
export async function refuseClosed(
  { everyPatient }: OrganizationScope,
  condition: PatientCondition,
  action?: Action,
): Promise<void> {
  for await (const [id] of everyPatient.ids(condition)) throw outsideCareTeam(action, id!.toHexString());
}

/** The patients of the organization that are closed to this viewer; undefined when nobody is closed to it. */
function closedPatients(viewer: Viewer): QueryFilter<StoredPatient> | undefined {
  const visible = visiblePatients(viewer);
  return visible && ({ $and: [{ careTeam: { $exists: true } }, { $nor: [visible] }] } as QueryFilter<StoredPatient>);
}

/** Their ids, where they are few enough to be named in every query; undefined when they are more than `atMost`. */
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
 * Ids of the patients that match and are visible to this viewer, some thousands at a time. The same as `patients.ids`, but
 * an index answers it: who is closed is looked up first, as nearly nobody is.
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

/** Those of some patients that are visible to this viewer. */
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

/** Something about one patient. */
export interface OfPatient {
  readonly patient: Types.ObjectId;
}

/** Something that is about one patient, or about none in particular. */
export interface MaybeOfPatient {
  readonly patient?: Types.ObjectId;
}

/** What a viewer may see of results, for services that do not hold the patients themselves. */
export interface CareTeamFence {
  /** How far the viewer may see a patient. What is about no patient is ALLOWED. */
  access(viewer: Viewer, patient: Types.ObjectId | undefined): Promise<CareTeamAccess>;
  /**
   * Leaves out what is about patients that are closed to the viewer. For what tells nothing of them but that they are there:
   * of what is left, only what is seen by breaking the glass is recorded, flagged.
   * @returns in the same order; null where it was null or is closed
   */
  admit<T extends MaybeOfPatient>(
    viewer: Viewer,
    action: AuditAction,
    results: readonly (T | null)[],
  ): Promise<(T | null)[]>;
  /**
   * Leaves out what is about patients that are closed to the viewer, and records what is left as about to be shown.
   * @returns in the same order; null where it was null or is closed
   */
  show<T extends OfPatient>(viewer: Viewer, action: AuditAction, results: readonly (T | null)[]): Promise<(T | null)[]>;
  /** As `show`, of something that the viewer has named: that it is closed is recorded as a denial. */
  showNamed<T extends OfPatient>(viewer: Viewer, action: AuditAction, result: T | null): Promise<T | null>;
  /** Does something with what was shown, and so is on record already; that it fails is put on record too. */
  afterShown<T>(viewer: Viewer, action: AuditAction, patient: Types.ObjectId, work: () => Promise<T>): Promise<T>;
}

export function createCareTeamFence(scopeOf: (viewer: Viewer) => OrganizationScope, audit: AuditTrail): CareTeamFence {
  const fence: CareTeamFence = {
    async access(viewer, patient) {
      const id = patient?.toHexString();
      return id === undefined ? 'ALLOWED' : (await accessById(scopeOf(viewer), viewer, [id]))(id);
    },
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
    async show(viewer, action, results) {
      const ids = patientsOf(results);
      const access = await accessById(scopeOf(viewer), viewer, ids);
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
    async showNamed(viewer, action, result) {
      const [shown] = await fence.show(viewer, action, [result]);
      if (result && !shown)
        await audit.record(viewer, { action, outcome: 'DENIED', patientIds: [result.patient.toHexString()] });
      return shown ?? null;
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

/** Hexadecimal, each once. */
const patientsOf = (results: readonly (MaybeOfPatient | null)[]): string[] => [
  ...new Set(results.flatMap((result) => result?.patient?.toHexString() ?? [])),
];

async function accessById(
  { careTeams }: OrganizationScope,
  viewer: Viewer,
  ids: readonly string[],
): Promise<(id: string) => CareTeamAccess> {
  if (viewer.role !== Role.CLINICIAN || ids.length === 0) return () => 'ALLOWED';
  const restricted = await careTeams.find(
    { _id: { $in: ids.map((id) => new Types.ObjectId(id)) }, careTeam: { $exists: true } },
    { projection: { careTeam: 1, breakGlass: 1 } },
  );
  const byId = new Map(restricted.map((patient) => [patient._id.toHexString(), careTeamAccess(viewer, patient)]));
  return (id) => byId.get(id) ?? 'ALLOWED';
}

/**
 * Records who is about to be shown; those seen by breaking the glass in an event of their own, flagged. A grant that ended
 * between the look-up and this moment still is what they are shown by.
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
