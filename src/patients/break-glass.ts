/*
 * Breaking the glass: emergency access of a clinician to a patient outside of their care teams. Step by step:
 *
 *   1. The clinician names the patient and gives a reason. Accesses per hour are limited.
 *   2. The access is recorded and flagged in the audit trail, before anything else is written.
 *   3. The access is stored with its reason, which is encrypted. Administrators read these accesses and their reasons.
 *   4. The patient gets a grant. While it lasts, the care-team fence lets this clinician see the patient.
 *
 * Grant: the permission of one username to see one patient until `expiresAt`. It is stored in the patient's document
 * (`breakGlass`). Each read of the patient compares `expiresAt` with the clock. A grant that has expired is removed
 * when a clinician next breaks the glass of the same patient.
 */
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Metrics } from '../process/metrics.js';
import { z } from 'zod';
import type { StoredBreakGlassAccess } from '../../models/index.js';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { careTeamAccess } from '../auth/care-team.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ConflictError, NotFoundError, RateLimitedError, retrySeconds } from '../errors.js';
import { idOrNone, parseInput } from '../input.js';
import { visibleText } from '../process/visible-text.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { newestFirstIndex, readPage, type Page, type PageRequest } from '../scope/pagination.js';
import type { PatientCondition } from '../scope/patient-records.js';

/** Fewest letters and digits of a reason. */
const fewestLetters = 5;

const breakGlassSchema = z.object({
  patientId: z.string().nullish(),
  mrn: z.string().trim().max(64, 'must have at most 64 characters').nullish(),
  reason: z
    .string()
    .max(2_000, 'must have at most 500 characters')
    .transform(visibleText)
    .pipe(
      z
        .string()
        .min(10, {
          error: 'must have at least 10 visible characters: say why you need to see this patient',
          abort: true,
        })
        .max(500, 'must have at most 500 characters')
        .refine((text) => (text.match(/[\p{L}\p{N}]/gu) ?? []).length >= fewestLetters, {
          error: `must have at least ${fewestLetters} letters or digits: say why you need to see this patient`,
        }),
    ),
});
export type BreakGlass = z.input<typeof breakGlassSchema>;

/** One access to a patient from outside of the care team, with its reason in plain text. */
export type BreakGlassAccess = Omit<StoredBreakGlassAccess, 'reason' | 'dataKey'> & { readonly reason: string };

const reasonField = 'break_glass_accesses.reason';

/** Lets a clinician see a patient outside of their care team, for a limited time. Administrators read the reason. */
export interface BreakGlassService {
  /**
   * Makes a grant.
   * @throws BadUserInputError, NotFoundError, ConflictError when the viewer can see the patient already,
   *   RateLimitedError after too many grants in an hour
   */
  grant(viewer: Viewer | null, input: BreakGlass): Promise<BreakGlassAccess>;
  /** Lists the accesses of the organization, newest first. */
  list(viewer: Viewer | null, request: PageRequest): Promise<Page<BreakGlassAccess>>;
}

interface BreakGlassDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  /** Minutes for which a grant lasts. */
  readonly minutes: number;
  /** Most grants that one clinician gets in an hour. */
  readonly grantsPerHour: number;
  /** Gets a warning about each grant and each refusal. */
  readonly logger: Logger;
  /** Counts both, so that the operators' alerts can follow them. */
  readonly metrics: Pick<Metrics, 'breakGlass'>;
}

const hourMs = 3_600_000;

export function createBreakGlassService({
  scopeOf,
  audit,
  minutes,
  grantsPerHour,
  logger,
  metrics,
}: BreakGlassDependencies): BreakGlassService {
  // An alert compares with an earlier value, so there must be one.
  for (const outcome of ['granted', 'refused']) metrics.breakGlass.inc({ outcome }, 0);
  /** Tells operators, who see no patient and no reason. */
  const warn = ({ organizationId, username }: Viewer, message: string): void =>
    logger.warn({ organizationId, username }, message);

  /**
   * Refuses more grants than an hour may have.
   * @param allowed number of grants in the last hour that are still fine
   * @throws RateLimitedError until the oldest of them is an hour old
   */
  async function refuseMany(scope: OrganizationScope, viewer: Viewer, allowed: number): Promise<void> {
    const since = new Date(Date.now() - hourMs);
    const recent = await scope.breakGlassAccesses.find(
      { username: viewer.username, grantedAt: { $gt: since } },
      {
        projection: { grantedAt: 1 },
        sort: { grantedAt: 1 },
        hint: { organization: 1, username: 1, grantedAt: 1 },
        limit: allowed + 1,
      },
    );
    if (recent.length <= allowed) return;
    metrics.breakGlass.inc({ outcome: 'refused' });
    warn(viewer, 'breaking the glass was refused: too many accesses in an hour');
    throw new RateLimitedError(
      `You broke the glass ${grantsPerHour} times in an hour: wait, or ask to be added to the care teams.`,
      retrySeconds(recent[0]!.grantedAt.getTime() - since.getTime()),
    );
  }

  return {
    async grant(viewer, input) {
      authorize(viewer, 'patient:break-glass');
      const { patientId, mrn, reason } = parseInput(breakGlassSchema, input);
      if ((patientId == null) === (mrn == null))
        throw new BadUserInputError([{ path: 'patientId', message: 'give either patientId or mrn' }]);
      const scope = scopeOf(viewer);
      const wanted: PatientCondition = mrn != null ? { mrn } : { _id: idOrNone(patientId!) };
      const patient = await scope.everyPatient.findOne(wanted);
      if (!patient) {
        await audit.record(viewer, { action: 'patient:break-glass', outcome: 'FAILED' });
        throw new NotFoundError('This patient');
      }
      const grantedAt = new Date();
      if (careTeamAccess(viewer, patient, grantedAt) !== 'DENIED') {
        await audit.record(viewer, {
          action: 'patient:break-glass',
          outcome: 'FAILED',
          patientIds: [patient._id.toHexString()],
        });
        throw new ConflictError(
          mrn != null ? 'mrn' : 'patientId',
          'This patient is visible to you already: read it without breakGlass.',
        );
      }
      const event = {
        action: 'patient:break-glass',
        patientIds: [patient._id.toHexString()],
        flagged: true,
      } as const;
      try {
        await refuseMany(scope, viewer, grantsPerHour - 1);
      } catch (error) {
        await audit.record(viewer, { ...event, outcome: 'DENIED' });
        throw error;
      }
      const { username } = viewer;
      const grant = { username, expiresAt: new Date(grantedAt.getTime() + minutes * 60_000) };
      const access = { _id: new Types.ObjectId(), organization: scope.id, patient: patient._id, ...grant, grantedAt };
      const { dataKey, ciphertext } = await scope.protection.protect(access._id, reasonField, reason);
      return recorded(audit, viewer, event, async () => {
        await scope.breakGlassAccesses.insert({ ...access, reason: ciphertext, dataKey });
        // Several requests at the same time may all have passed the first count: it is repeated after the write.
        try {
          await refuseMany(scope, viewer, grantsPerHour);
        } catch (error) {
          await scope.breakGlassAccesses.deleteMany({ _id: access._id });
          throw error;
        }
        await scope.careTeams.updateMany(
          { _id: patient._id },
          { $pull: { breakGlass: { expiresAt: { $lte: grantedAt } } } },
        );
        await scope.careTeams.updateMany({ _id: patient._id }, { $push: { breakGlass: grant } });
        metrics.breakGlass.inc({ outcome: 'granted' });
        warn(viewer, 'a clinician broke the glass of a patient');
        return { ...access, reason };
      });
    },

    async list(viewer, request) {
      authorize(viewer, 'audit:read');
      const { breakGlassAccesses, protection } = scopeOf(viewer);
      const page = await readPage<StoredBreakGlassAccess>(
        breakGlassAccesses,
        { filter: {}, index: newestFirstIndex },
        request,
      );
      const read = await protection.reader(page.edges.map(({ node }) => node.dataKey));
      // A reason may hold facts about the patient. So reading it is recorded as a read about that patient.
      const patientIds = [...new Set(page.edges.map(({ node }) => node.patient.toHexString()))];
      const edges = page.edges.map(({ cursor, node }) => ({
        cursor,
        node: { ...node, reason: read(node._id, reasonField, node.reason) },
      }));
      await audit.record(viewer, { action: 'audit:read', outcome: 'ALLOWED', patientIds });
      return { ...page, edges };
    },
  };
}
