/*
 * Upsert of patients: up to 1,000 patients are created or changed by one call. A patient is named by its MRN. How a call
 * goes:
 *
 *   1. One query reads the patients that have the MRNs of the inputs.
 *   2. Each input is checked, and all its issues are found at once. An input with issues is refused; the others go on.
 *      A patient that is closed to the viewer is refused, too.
 *   3. Each input is compared with what is stored. One that changes nothing is written nowhere.
 *   4. The writes are recorded in the audit trail: one event for all patients, and one for those that are flagged.
 *   5. One bulk writes them. A patient that another caller wrote meanwhile is read and compared again.
 *
 * A call may be repeated: what it has written already changes nothing more.
 */
import { type AuditTrail, recordRead, recorded } from '../audit/audit-trail.js';
import { careTeamAccess } from '../auth/care-team.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ConflictError, type FieldError, type RiskGraphError } from '../errors.js';
import { checkInput } from '../input.js';
import { SliceSizer } from '../risk/slices.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import type { Patient } from '../scope/patient.js';
import type { PatientWrite } from '../scope/patient-records.js';
import { openVacantTeams } from '../scope/vacant-care-teams.js';
import { outsideCareTeam } from './care-team-fence.js';
import { enabledClinicians, memberIssues, ownTeamIssues } from './care-team-service.js';
import { emergencyChangeRefusal, exceedsEmergency } from './emergency-limits.js';
import type { FeatureCatalogue } from './feature-catalogue.js';
import { normalizeUsername } from '../identity/users/username.js';
import { changesOf, differenceOf, newPatient } from './patient-changes.js';
import {
  checkPatient,
  largestCareTeam,
  mrnSchema,
  type CheckedPatient,
  type CreatePatient,
  type PatientCheck,
} from './patient-input.js';

/** Most patients of one call. */
export const mostUpserts = 1_000;

/** Times that a patient is read and written, when other callers write it at the same moment. */
const mostRounds = 3;

/** The result of one input of a call. */
export type UpsertResult =
  | { readonly outcome: 'CREATED' | 'UPDATED' | 'UNCHANGED'; readonly patient: Patient }
  | {
      readonly outcome: 'REFUSED';
      /** A BadUserInputError has all issues with the input. Their paths begin at the input, e.g. `features[1].value`. */
      readonly error: RiskGraphError;
    };

/**
 * Creates the patients whose MRN is new, and changes those that exist. An absent field does not change, null clears it,
 * and features are merged by code, as in an update.
 * @param inputs from 1 to `mostUpserts`; anything that is no valid patient is refused with its issues
 * @returns one result per input, in the same order
 * @throws ForbiddenError without the right to write patients, BadUserInputError for a wrong number of inputs,
 *   ServiceUnavailableError when audit trail or database are away: then the call may be repeated
 */
export type UpsertPatients = (
  viewer: Viewer | null,
  inputs: readonly (CreatePatient | unknown)[],
) => Promise<UpsertResult[]>;

/** The outcome of the check of one input: the MRN of its patient, or the reason why it would be refused. */
type UpsertCheck = { readonly mrn: string } | { readonly error: RiskGraphError };

/** Creates and changes many patients. */
export interface PatientUpsert {
  readonly upsert: UpsertPatients;
  /**
   * Checks inputs as `upsert` does. Nothing is written, and nothing is recorded.
   * @returns one outcome per input, in the same order
   */
  check(viewer: Viewer | null, inputs: readonly unknown[]): Promise<UpsertCheck[]>;
}

/** A checked input, and its place in the call. */
interface Entry {
  readonly index: number;
  readonly input: CheckedPatient;
  /** The patient that has the MRN; null when there is none. */
  readonly current: Patient | null;
}

/** The work that an input needs. */
type Plan = Entry &
  (
    | { readonly refused: RiskGraphError; readonly id: string; readonly flagged: boolean }
    | { readonly unchanged: Patient; readonly flagged: boolean }
    | { readonly write: PatientWrite; readonly id: string; readonly flagged: boolean }
  );

export function createPatientUpsert({
  scopeOf,
  audit,
  catalogue,
}: {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly catalogue: FeatureCatalogue;
}): PatientUpsert {
  const checking = new SliceSizer();

  /** Checks all inputs. The members of all care teams are looked up in one query. */
  async function checkAll(
    scope: OrganizationScope,
    viewer: Viewer,
    inputs: readonly unknown[],
    present: readonly (Patient | null)[],
  ): Promise<PatientCheck[]> {
    const clinicians = await enabledClinicians(scope, namesIn(inputs));
    const checks: PatientCheck[] = [];
    await checking.each(inputs.length, undefined, (start, end) => {
      for (let index = start; index < end; index += 1) {
        const accepted = [viewer.username, ...visibleTeam(viewer, present[index]!)];
        checks.push(
          checkPatient(inputs[index], {
            features: (features) => catalogue.issues(features, 'features'),
            careTeam: (careTeam) => [
              ...ownTeamIssues(careTeam, viewer),
              ...memberIssues(careTeam, (name) => accepted.includes(name) || clinicians.has(name)),
            ],
          }),
        );
      }
    });
    return checks;
  }

  /** Does the plans. @returns the entries that another caller was faster with */
  async function carryOut(
    scope: OrganizationScope,
    viewer: Viewer,
    plans: readonly Plan[],
    results: UpsertResult[],
  ): Promise<Entry[]> {
    const left: Entry[] = [];
    for (const flagged of [false, true]) {
      const ofKind = plans.filter((plan) => plan.flagged === flagged);
      const refused = ofKind.filter((plan) => 'refused' in plan);
      if (refused.length > 0)
        await audit.record(viewer, {
          action: 'patient:write',
          outcome: 'DENIED',
          patientIds: refused.map(({ id }) => id),
          flagged,
        });
      for (const plan of refused) results[plan.index] = { outcome: 'REFUSED', error: plan.refused };

      const unchanged = ofKind.filter((plan) => 'unchanged' in plan);
      const shown = unchanged.map((plan) => plan.unchanged._id.toHexString());
      await recordRead(audit, viewer, 'patient:read', shown, { flagged });
      for (const plan of unchanged) results[plan.index] = { outcome: 'UNCHANGED', patient: plan.unchanged };

      const writes = ofKind.filter((plan) => 'write' in plan);
      if (writes.length === 0) continue;
      const patientIds = writes.map(({ id }) => id);
      const written = await recorded(audit, viewer, { action: 'patient:write', patientIds, flagged }, async () => {
        const patients = await scope.patients.writeMany(writes.map(({ write }) => write));
        await openTeams(scope, writes, patients);
        return patients;
      });
      const lost = writes.filter((_write, at) => !written[at]);
      if (lost.length > 0)
        await audit.record(viewer, {
          action: 'patient:write',
          outcome: 'FAILED',
          patientIds: lost.map(({ id }) => id),
          flagged,
        });
      writes.forEach(({ index, input, current, write }, at) => {
        const patient = written[at];
        if (patient) results[index] = { outcome: 'insert' in write ? 'CREATED' : 'UPDATED', patient };
        else left.push({ index, input, current });
      });
    }
    return left;
  }

  async function check(viewer: Viewer | null, inputs: readonly unknown[]): Promise<UpsertCheck[]> {
    authorize(viewer, 'patient:write');
    const scope = scopeOf(viewer);
    const present = await scope.everyPatient.findByMrn(inputs.map(mrnOf));
    const now = new Date();
    return (await checkAll(scope, viewer, inputs, present)).map((checked, index) => {
      if ('issues' in checked) return { error: new BadUserInputError(checked.issues) };
      const plan = planOf(viewer, { index, input: checked.patient, current: present[index]! }, now);
      return 'refused' in plan && plan.refused ? { error: plan.refused } : { mrn: checked.patient.mrn };
    });
  }

  const upsert: UpsertPatients = async (viewer, inputs) => {
    authorize(viewer, 'patient:write');
    if (inputs.length < 1 || inputs.length > mostUpserts)
      throw new BadUserInputError([{ path: 'inputs', message: `must have from 1 to ${mostUpserts} patients` }]);
    const scope = scopeOf(viewer);
    const results: UpsertResult[] = [];
    let left: Entry[] = [];
    const places = new Map<string, number>();
    const present = await scope.everyPatient.findByMrn(inputs.map(mrnOf));
    (await checkAll(scope, viewer, inputs, present)).forEach((check, index) => {
      const issues = 'issues' in check ? check.issues : repeated(places, check.patient.mrn, index);
      if (issues.length > 0) results[index] = { outcome: 'REFUSED', error: new BadUserInputError(issues) };
      else if ('patient' in check) left.push({ index, input: check.patient, current: present[index]! });
    });
    for (let round = 0; left.length > 0 && round < mostRounds; round += 1) {
      const now = new Date();
      const plans = left.map((entry): Plan => ({ ...entry, ...planOf(viewer, entry, now) }));
      const lost = await carryOut(scope, viewer, plans, results);
      const current = await scope.everyPatient.findByMrn(lost.map(({ input }) => input.mrn));
      left = lost.map((entry, at) => ({ ...entry, current: current[at]! }));
    }
    for (const { index } of left)
      results[index] = {
        outcome: 'REFUSED',
        error: new ConflictError('mrn', 'The patient was changed by other callers at the same moment: send it again.'),
      };
    return results;
  };

  return { upsert, check };
}

/** The MRN of an input in its one spelling. Empty, which no patient has, when it is not valid. */
function mrnOf(input: unknown): string {
  const checked = checkInput(mrnSchema, (input as { readonly mrn?: unknown } | null)?.mrn);
  return 'data' in checked ? checked.data : '';
}

/** The care team of a patient that the viewer may see: its members stay accepted, as in an update. */
const visibleTeam = (viewer: Viewer, patient: Patient | null): readonly string[] =>
  patient && careTeamAccess(viewer, patient) !== 'DENIED' ? (patient.careTeam ?? []) : [];

/** The usernames in the care teams of inputs, each once. What is no text or no team is left to the check of its input. */
function namesIn(inputs: readonly unknown[]): string[] {
  const names = inputs.flatMap((input) => {
    const careTeam = (input as { readonly careTeam?: unknown } | null)?.careTeam;
    return Array.isArray(careTeam) && careTeam.length <= largestCareTeam ? (careTeam as unknown[]) : [];
  });
  return [...new Set(names.flatMap((name) => (typeof name === 'string' ? [normalizeUsername(name.trim())] : [])))];
}

/** The issue with an MRN that an earlier input of the call has. */
function repeated(places: Map<string, number>, mrn: string, index: number): FieldError[] {
  const first = places.get(mrn);
  if (first === undefined) places.set(mrn, index);
  return first === undefined
    ? []
    : [{ path: 'mrn', message: `is the same MRN as in inputs[${first}]: give each patient once` }];
}

function planOf(viewer: Viewer, { input, current }: Entry, now: Date) {
  if (!current) {
    const insert = newPatient(input, now);
    return { write: { insert }, id: insert._id.toHexString(), flagged: false };
  }
  const id = current._id.toHexString();
  const access = careTeamAccess(viewer, current, now);
  if (access === 'DENIED') return { refused: outsideCareTeam('patient:write', id), id, flagged: false };
  const emergency = access === 'BREAK_GLASS';
  const difference = differenceOf(current, input);
  if (!difference) return { unchanged: current, flagged: emergency };
  if (emergency && exceedsEmergency(difference)) return { refused: emergencyChangeRefusal(), id, flagged: true };
  // A clinician who gives a team to a patient that all could see closes the patient to colleagues.
  const takes = difference.careTeam != null && current.careTeam === undefined;
  return {
    write: { current, changes: changesOf(current, difference, now) },
    id,
    flagged: takes || emergency,
  };
}

/** Makes written patients whose new care team is vacant visible to every clinician. */
async function openTeams(
  scope: OrganizationScope,
  writes: readonly { readonly write: PatientWrite }[],
  written: readonly (Patient | null)[],
): Promise<void> {
  const withTeam = writes.flatMap(({ write }, at) => {
    const { careTeam } = 'insert' in write ? write.insert : write.changes;
    return careTeam && written[at] ? [written[at]._id] : [];
  });
  if (withTeam.length > 0) await openVacantTeams(scope, { _id: { $in: withTeam } });
}
