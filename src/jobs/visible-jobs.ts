import { LRUCache } from 'lru-cache';
import { Types, type QueryFilter } from 'mongoose';
import sift from 'sift';
import type { ScoringJob, ScoringJobKind, ScoringJobState } from '../../models/index.js';
import type { AuditEntry, AuditTrail } from '../audit/audit-trail.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { idOrNone, toObjectId } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { normalizeUsername } from '../identity/users/username.js';
import { newestFirstIndex, pagesOf, type Page, type PageRequest } from '../scope/pagination.js';
import type { IndexKeys } from '../scope/scoped-collection.js';
import { startOfSecond } from '../storage/object-ids.js';
import type { AccessById, CareTeamFence, MaybeOfPatient } from '../patients/care-team-fence.js';
import { readVisiblePage, visibleRows } from '../patients/visible-rows.js';
import type { SelectJobs } from './job-list-stream.js';
import { modelCondition } from '../predictions/served-models.js';
import { followerName } from '../predictions/shared-reads.js';
import { createGroupCommit, type GroupResult } from '../storage/group-commit.js';
import { walkById } from '../storage/walk.js';
import type { SubmittedJobs } from './submitted-jobs.js';

/** Jobs whose patients are read in one query. */
const ownersAtOnce = 10_000;
/** Most followers that one read serves. */
const followersAtOnce = 5_000;

/** Followed jobs whose patients are remembered. */
const rememberedPatients = 10_000;

/** A job that a viewer may see. `flagged` tells that the viewer may see it only by breaking the glass. */
export interface VisibleJob {
  readonly job: ScoringJob;
  readonly flagged: boolean;
}

/**
 * The jobs of the viewer's organization that are visible to the viewer. A job about a single patient is visible if the
 * patient is. Care teams decide that. A batch is visible to the whole organization; its results about closed patients
 * are left out when they are read.
 */
interface VisibleJobs {
  /**
   * Finds a job that the viewer has named. A job about a closed patient is recorded as a denial. The same work is done
   * for a job that does not exist. Nothing else is recorded here.
   * @returns null when there is no such job, or its patient is closed
   */
  find(viewer: Viewer, id: string, action: Action): Promise<VisibleJob | null>;
  /** Does the same as `find` for a viewer who reads the job. A job that is seen by breaking the glass is recorded. */
  read(viewer: Viewer, id: string): Promise<ScoringJob | null>;
  /**
   * Does the same as `read` for a follower, with the job as it is after the call, and without changes that a failover
   * may undo. Followers who ask at the same time share one read. Those of one user and address also share the check of
   * the care team and the audit event.
   * @param isTry true when the caller asks again after null, and is told of later changes. Then a denial is not recorded,
   *   and a job that the viewer has submitted a moment ago is not read
   */
  followed(viewer: Viewer, id: string, isTry?: boolean): Promise<ScoringJob | null>;
  /**
   * Jobs that are seen by breaking the glass are recorded.
   * @returns the jobs in the order of the ids, with null for an id without a visible job
   */
  findMany(viewer: Viewer, ids: readonly string[]): Promise<(ScoringJob | null)[]>;
  /** Selects visible jobs for a follower of a list. Jobs that are seen by breaking the glass are recorded. */
  select(viewer: Viewer, filter: ScoringJobFilter): SelectJobs;
  /** Newest jobs first. Jobs that are seen by breaking the glass are recorded. */
  list(viewer: Viewer, request: PageRequest, filter: ScoringJobFilter): Promise<Page<ScoringJob>>;
}

export function createVisibleJobs(
  scopeOf: ScopeOf,
  audit: AuditTrail,
  fence: CareTeamFence,
  submittedJobs: Pick<SubmittedJobs, 'unchanged' | 'isOwn'>,
): VisibleJobs {
  // A job never changes its patient. So the access of a follower is read together with the job.
  const patientsOfJobs = new LRUCache<string, Types.ObjectId>({ max: rememberedPatients });

  async function admit(
    viewer: Viewer,
    job: ScoringJob | null,
    action: Action,
    { reading, isTry = false }: { readonly reading?: Promise<AccessById>; readonly isTry?: boolean } = {},
  ): Promise<VisibleJob | null> {
    if (!job) {
      // The same reads as for a job whose patient is closed.
      if (isTry) await fence.access(viewer, new Types.ObjectId());
      else await fence.denyAbsent(viewer, action);
      return null;
    }
    const read = await reading;
    const access = read && job.patient ? read(job.patient.toHexString()) : await fence.access(viewer, job.patient);
    if (access !== 'DENIED') return { job, flagged: access === 'BREAK_GLASS' };
    if (!isTry) await audit.record(viewer, { action, outcome: 'DENIED', ...about(job) });
    return null;
  }

  async function show(
    viewer: Viewer,
    job: ScoringJob | null,
    options: { readonly reading?: Promise<AccessById>; readonly isTry?: boolean } = {},
  ): Promise<ScoringJob | null> {
    const found = await admit(viewer, job, 'job:read', options);
    if (found?.flagged)
      await audit.record(viewer, { action: 'job:read', outcome: 'ALLOWED', ...about(found.job), flagged: true });
    return found?.job ?? null;
  }

  async function showRead({ viewer, id, isTry }: Follow, reading: Promise<JobsByKey>): Promise<ScoringJob | null> {
    const key = jobKey(viewer, id);
    if (submittedJobs.isOwn(viewer, id)) return (await reading).get(key) ?? null;
    const patient = patientsOfJobs.get(key);
    const access = patient && fence.accessTo(viewer, [patient]);
    access?.catch(() => undefined);
    const job = (await reading).get(key) ?? null;
    if (job?.patient) patientsOfJobs.set(key, job.patient);
    return show(viewer, job, { ...(access && { reading: access }), isTry });
  }

  const followed = createGroupCommit<Follow, ScoringJob | null>(
    async (follows) => {
      const reading = readOnce(scopeOf, follows);
      const shown = new Map<string, Promise<GroupResult<ScoringJob | null>>>();
      return Promise.all(
        follows.map((follow) => {
          const key = JSON.stringify([followerName(follow.viewer), follow.id, follow.isTry]);
          const outcome =
            shown.get(key) ??
            showRead(follow, reading).then(
              (value) => ({ value }),
              (error: unknown) => ({ error }),
            );
          shown.set(key, outcome);
          return outcome;
        }),
      );
    },
    { largest: followersAtOnce },
  );

  async function stored(viewer: Viewer, id: string): Promise<ScoringJob | null> {
    const _id = toObjectId(id);
    return _id ? scopeOf(viewer).scoringJobs.findOne({ _id }) : null;
  }

  return {
    find: async (viewer, id, action) => admit(viewer, await stored(viewer, id), action),

    read: async (viewer, id) => show(viewer, await stored(viewer, id)),

    followed: async (viewer, id, isTry = false) =>
      (isTry ? submittedJobs.unchanged(viewer, id) : undefined) ?? followed({ viewer, id, isTry }),

    async findMany(viewer, ids) {
      const found = await scopeOf(viewer).scoringJobs.findMany(ids.map(idOrNone));
      return fence.admit(viewer, 'job:read', found);
    },

    select(viewer, filter) {
      // Decides as MongoDB does, so that a subscription has the same jobs as the list.
      const matches = sift.default(jobQuery(filter, []) as object) as (job: ScoringJob) => boolean;
      return async (jobs) => {
        const own = jobs.filter(({ organization }) => organization.toHexString() === viewer.organizationId);
        const visible = await fence.admit(viewer, 'job:read', own);
        return visible.flatMap((job) => (job ? [{ job, matches: matches(job) }] : []));
      };
    },

    async list(viewer, request, filter) {
      const scope = scopeOf(viewer);
      const source = visibleRows(scope, viewer).source<ScoringJob>(
        filter,
        (closed) => pagesOf(scope.scoringJobs, { filter: jobQuery(filter, closed), index: jobIndex(filter) }),
        () => ownersOf(scope, filter),
      );
      return readVisiblePage(source, request, (jobs) => fence.admit(viewer, 'job:read', jobs));
    },
  };
}

/** One follower, and the id of the job that it follows. */
interface Follow {
  readonly viewer: Viewer;
  readonly id: string;
  readonly isTry: boolean;
}

/** Jobs as some followers may know them, by `jobKey`. */
type JobsByKey = ReadonlyMap<string, ScoringJob | null>;

const jobKey = ({ organizationId }: Viewer, id: string): string => `${organizationId} ${id}`;

/** Reads the jobs of some followers, with one query per organization. */
async function readOnce(scopeOf: ScopeOf, follows: readonly Follow[]): Promise<JobsByKey> {
  const readers = new Map<string, { readonly viewer: Viewer; readonly ids: Set<string> }>();
  for (const { viewer, id } of follows) {
    const reader = readers.get(viewer.organizationId) ?? { viewer, ids: new Set<string>() };
    readers.set(viewer.organizationId, reader);
    reader.ids.add(id);
  }
  const found = await Promise.all(
    [...readers.values()].map(async ({ viewer, ids }) => {
      const jobs = await scopeOf(viewer).scoringJobs.findMany([...ids].map(idOrNone), { lasting: true });
      return [...ids].map((id, index) => [jobKey(viewer, id), jobs[index] ?? null] as const);
    }),
  );
  return new Map(found.flat());
}

/** The patients of the jobs, some thousands per step. */
const ownersOf = (
  { scoringJobs }: OrganizationScope,
  filter: ScoringJobFilter,
): AsyncIterable<readonly MaybeOfPatient[]> =>
  walkById(ownersAtOnce, (last) =>
    scoringJobs.find(
      { $and: [jobQuery(filter, []), last ? { _id: { $lt: last } } : {}] },
      { projection: { patient: 1 }, sort: { _id: -1 }, limit: ownersAtOnce, hint: jobIndex(filter) },
    ),
  );

/**
 * Subject and patients of an audit event about a job. Only a SINGLE job names its patient; the patients of a batch are
 * in its chunks.
 */
export const about = ({
  _id,
  patient,
}: Pick<ScoringJob, '_id' | 'patient'>): Pick<AuditEntry, 'subject' | 'patientIds'> => ({
  subject: { kind: 'SCORING_JOB', id: _id.toHexString() },
  ...(patient && { patientIds: [patient.toHexString()] }),
});

/** Conditions on jobs. All of them must hold. */
export interface ScoringJobFilter {
  readonly states?: readonly ScoringJobState[] | null;
  readonly kind?: ScoringJobKind | null;
  readonly patientId?: string | null;
  readonly modelId?: string | null;
  readonly submittedBy?: string | null;
  readonly submittedAfter?: Date | null;
  readonly submittedBefore?: Date | null;
}

/** The index that gives the jobs of a filter in their order. The condition with the fewest jobs comes first. */
function jobIndex({ patientId, submittedBy, states, kind, modelId }: ScoringJobFilter): IndexKeys {
  if (patientId != null) return { patient: 1, _id: -1 };
  if (submittedBy != null) return { organization: 1, submittedBy: 1, _id: -1 };
  if (states != null) return { organization: 1, 'status.state': 1, _id: -1 };
  if (kind != null) return { organization: 1, kind: 1, _id: -1 };
  if (modelId != null) return { organization: 1, modelId: 1, _id: -1 };
  return newestFirstIndex;
}

/** The name as it is stored with a job. That of an API key is stored as its administrator wrote it. */
const submitterName = (name: string): string => (name.startsWith('api-key:') ? name : normalizeUsername(name));

/** @param closed patients whose jobs never match. Batches match also when they have such patients. */
function jobQuery(filter: ScoringJobFilter, closed: readonly Types.ObjectId[]): QueryFilter<ScoringJob> {
  const { submittedAfter: after, submittedBefore: before } = filter;
  const submitted = { ...(after != null && { $gt: after }), ...(before != null && { $lt: before }) };
  const made = {
    ...(after != null && { $gte: startOfSecond(after) }),
    ...(before != null && { $lt: startOfSecond(new Date(before.getTime() + 1_000)) }),
  };
  return {
    ...(filter.states != null && { 'status.state': { $in: [...filter.states] } }),
    ...(filter.kind != null && { kind: filter.kind }),
    ...(filter.patientId != null && { patient: idOrNone(filter.patientId) }),
    ...modelCondition({ modelId: filter.modelId }),
    ...(filter.submittedBy != null && { submittedBy: submitterName(filter.submittedBy) }),
    ...(Object.keys(submitted).length > 0 && { submittedAt: submitted }),
    // An id is made when its job is submitted. It begins with the second, so the index bounds the scan.
    ...(Object.keys(made).length > 0 && { _id: made }),
    ...(closed.length > 0 && { $nor: [{ patient: { $in: [...closed] } }] }),
  };
}
