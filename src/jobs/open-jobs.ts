import { Types } from 'mongoose';
import type { ScoringJob } from '../../models/index.js';
import type { AuditEntry, AuditTrail } from '../audit/audit-trail.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { toObjectId } from '../input.js';
import type { ScopeOf } from '../organization-scope.js';
import { readPage, type Page, type PageRequest } from '../pagination.js';
import { closedPatientIds, type CareTeamFence } from '../patients/care-team-fence.js';
import { jobQuery, type ScoringJobFilter } from './job-filter.js';

/** A job that a viewer may know of, and whether only because they broke the glass. */
export interface OpenJob {
  readonly job: ScoringJob;
  readonly flagged: boolean;
}

/**
 * The jobs of the viewer's organization as the care teams let a clinician see them: one about a single patient is as closed
 * as the patient. A batch is the organization's; what it has of closed patients is left out where it is shown.
 */
export interface OpenJobs {
  /**
   * A job that the viewer has named. Null when there is none, or one about a patient who is closed: then that is recorded as a denial.
   * Nothing else is recorded here.
   */
  find(viewer: Viewer, id: string, action: Action): Promise<OpenJob | null>;
  /** In the order of the ids; null where there is none. What is seen by breaking the glass is recorded. */
  findMany(viewer: Viewer, ids: readonly string[]): Promise<(ScoringJob | null)[]>;
  /** Newest first. What is seen by breaking the glass is recorded. */
  list(viewer: Viewer, request: PageRequest, filter: ScoringJobFilter): Promise<Page<ScoringJob>>;
}

export function createOpenJobs(scopeOf: ScopeOf, audit: AuditTrail, fence: CareTeamFence): OpenJobs {
  return {
    async find(viewer, id, action) {
      const _id = toObjectId(id);
      const job = _id && (await scopeOf(viewer).scoringJobs.findOne({ _id }));
      if (!job) return null;
      const access = await fence.access(viewer, job.patient);
      if (access !== 'CLOSED') return { job, flagged: access === 'BREAK_GLASS' };
      await audit.record(viewer, { action, outcome: 'DENIED', ...about(job) });
      return null;
    },

    async findMany(viewer, ids) {
      const found = await scopeOf(viewer).scoringJobs.findMany(ids.map((id) => toObjectId(id) ?? new Types.ObjectId()));
      return fence.admit(viewer, 'job:read', found);
    },

    async list(viewer, request, filter) {
      const scope = scopeOf(viewer);
      const page = await readPage<ScoringJob>(scope.scoringJobs, jobQuery(filter, await closedPatientIds(scope, viewer)), request);
      // Again: a grant may have ended since the list of closed patients was read.
      const shown = await fence.admit(viewer, 'job:read', page.edges.map(({ node }) => node));
      return { ...page, edges: page.edges.filter((_edge, index) => shown[index]) };
    },
  };
}

/** What an audit event says it is about: the job and, of a SINGLE one, whose it is. The patients of a batch are in the job. */
export const about = ({ _id, patient }: Pick<ScoringJob, '_id' | 'patient'>): Pick<AuditEntry, 'subject' | 'patientIds'> => ({
  subject: { kind: 'SCORING_JOB', id: _id.toHexString() },
  ...(patient && { patientIds: [patient.toHexString()] }),
});
