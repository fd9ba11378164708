/*
 * Cohorts: many patients that a caller brings together with the wish to score them.
 *
 * How a cohort is accepted:
 * 1. The viewer must be allowed to write patients and to submit jobs, and the options must be valid.
 * 2. A job with the same idempotency key and the same content is returned instead of a new one.
 * 3. All lines are checked, a thousand at a time. With an issue in any of them, nothing is stored.
 * 4. The patients are created or changed, a thousand at a time (upsert-patients.ts), and their ids go into the batch.
 * 5. The batch is accepted (patient-batches.ts).
 *
 * A thousand patients are held at a time, and the MRN of each. When the work breaks off in step 4, no job is made. The
 * same cohort can then be sent again: what is stored already is not written again.
 */
import type { Types } from 'mongoose';
import { z } from 'zod';
import type { ScoringJob } from '../../models/index.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ForbiddenError, type FieldError } from '../errors.js';
import { parseInput } from '../input.js';
import { readCohort, type CohortFormat, type CohortInput } from '../patients/cohort-inputs.js';
import { mostUpserts, type PatientUpsert, type UpsertResult } from '../patients/upsert-patients.js';
import { requireModel } from '../predictions/served-models.js';
import { InvalidTextError } from '../process/utf8-text.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { findByKey, identifyRequest } from './idempotency.js';
import { jobOptions } from './job-input.js';
import type { AcceptBatch } from './patient-batches.js';

/** Most issues that one answer names. */
const mostIssues = 100;

/** The options of a cohort: those of a batch, and how empty cells of a CSV are read. */
const cohortSchema = z.strictObject({ ...jobOptions, clearEmpty: z.boolean().nullish() });

/** The content of a cohort. */
export interface CohortContent {
  readonly format: CohortFormat;
  /** SHA-256 of the bytes. */
  readonly digest: string;
  /** Reads the bytes from the start. It is called twice. */
  read(): AsyncIterable<Uint8Array>;
}

/** How the work goes on. */
interface CohortWork {
  /** Is called when all lines are checked, and after each group of patients that was stored. */
  progress(stored: number): void;
  /** Ends the work with its reason. Patients that are stored already stay. */
  readonly signal: AbortSignal;
}

/** The job of a cohort, and what became of its patients. The counts are 0 when the job was submitted before. */
export interface SubmittedCohort {
  readonly job: ScoringJob;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

/**
 * Accepts a cohort.
 * @throws BadUserInputError naming lines and reasons, NotFoundError (model), ConflictError (idempotency key), the reason
 *   of the signal
 */
export type SubmitCohort = (
  viewer: Viewer | null,
  options: unknown,
  content: CohortContent,
  work: CohortWork,
) => Promise<SubmittedCohort>;

/** Refuses a caller who may not send cohorts. @throws UnauthenticatedError, ForbiddenError */
export function authorizeCohort(viewer: Viewer | null): asserts viewer is Viewer {
  authorize(viewer, 'patient:write');
  authorize(viewer, 'job:submit');
}

interface CohortSubmissionDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly registry: RiskModelRegistry;
  readonly upserts: PatientUpsert;
  readonly accept: AcceptBatch;
  /** Most patients of a cohort. */
  readonly largestCohort: number;
}

export function createCohortSubmission({
  scopeOf,
  audit,
  registry,
  upserts,
  accept,
  largestCohort,
}: CohortSubmissionDependencies): SubmitCohort {
  const read = (content: CohortContent, clearEmpty: boolean): AsyncGenerator<CohortInput> =>
    readCohort(content.read(), registry.manifests(), { format: content.format, clearEmpty });

  /** @throws BadUserInputError with the issues of all lines */
  async function checkLines(viewer: Viewer, lines: AsyncIterable<CohortInput>, signal: AbortSignal): Promise<void> {
    const issues = new Issues();
    const lineOfMrn = new Map<string, number>();
    const closed: string[] = [];
    let patients = 0;
    for await (const group of inGroups(lines)) {
      signal.throwIfAborted();
      patients += group.length;
      if (patients > largestCohort)
        throw new BadUserInputError([
          { path: 'body', message: `has more than ${largestCohort} patients: send several smaller cohorts` },
        ]);
      for (const { issues: ofLine } of group)
        for (const { line, column, message } of ofLine) issues.add(line, column, message);
      const whole = group.filter(({ issues: ofLine }) => ofLine.length === 0);
      const refusals = await upserts.check(
        viewer,
        whole.map(({ patient }) => patient),
      );
      whole.forEach(({ line, patient }, at) => {
        const refusal = refusals[at]!;
        if ('mrn' in refusal) {
          const first = lineOfMrn.get(refusal.mrn);
          if (first === undefined) lineOfMrn.set(refusal.mrn, line);
          else issues.add(line, 'mrn', `is the same MRN as in line ${first}: give each patient once`);
          return;
        }
        const { error } = refusal;
        if (error instanceof ForbiddenError && error.patientId !== undefined) closed.push(error.patientId);
        if (!(error instanceof BadUserInputError)) return issues.add(line, undefined, error.message);
        for (const { path, message } of error.fields) issues.add(line, columnOf(path, patient), message);
      });
    }
    if (closed.length > 0)
      await audit.record(viewer, { action: 'patient:write', outcome: 'DENIED', patientIds: closed });
    if (patients === 0) throw new BadUserInputError([{ path: 'body', message: 'has no patients: send at least one' }]);
    issues.refuse();
  }

  /** Stores the patients. @returns their ids, those of one group at a time */
  async function* store(
    viewer: Viewer,
    lines: AsyncIterable<CohortInput>,
    counts: Record<UpsertResult['outcome'], number>,
    { progress, signal }: CohortWork,
  ): AsyncGenerator<readonly Types.ObjectId[]> {
    let stored = 0;
    for await (const group of inGroups(lines)) {
      signal.throwIfAborted();
      const results = await upserts.upsert(
        viewer,
        group.map(({ patient }) => patient),
      );
      const ids = results.map((result, at) => {
        counts[result.outcome] += 1;
        if ('patient' in result) return result.patient._id;
        // Another caller was faster since the check.
        throw new BadUserInputError([{ path: pathOf(group[at]!.line), message: result.error.message }]);
      });
      stored += ids.length;
      yield ids;
      progress(stored);
    }
  }

  return async (viewer, options, content, work) => {
    authorizeCohort(viewer);
    const { clearEmpty, ...request } = parseInput(cohortSchema, options);
    const scope = scopeOf(viewer);
    const identity = await identifyRequest(scope, viewer, { ...request, clearEmpty, digest: content.digest });
    const known = await findByKey(scope, identity);
    const counts = { CREATED: 0, UPDATED: 0, UNCHANGED: 0, REFUSED: 0 };
    const submitted = (job: ScoringJob): SubmittedCohort => ({
      job,
      created: counts.CREATED,
      updated: counts.UPDATED,
      unchanged: counts.UNCHANGED,
    });
    if (known) return submitted(known);
    const model = requireModel(registry, request.modelId, request.modelVersion);
    // A cohort may be large, so its accesses are not remembered but recorded one group after the other.
    const lasting = { ...viewer, origin: { ...viewer.origin, lasting: true } };
    try {
      await checkLines(lasting, read(content, clearEmpty ?? false), work.signal);
      work.progress(0);
      const patients = store(lasting, read(content, clearEmpty ?? false), counts, work);
      return submitted(await accept(viewer, { model, request, identity, patients, chosenBy: 'body' }));
    } catch (error) {
      if (!(error instanceof InvalidTextError)) throw error;
      const { line, column, message } = error;
      throw new BadUserInputError([
        { path: pathOf(line), message: column === undefined ? message : `column ${column} ${message}` },
      ]);
    }
  };
}

/** The issues with the lines of a cohort, up to `mostIssues`. The others are counted. */
class Issues {
  private readonly fields: FieldError[] = [];
  private found = 0;

  add(line: number, column: string | undefined, message: string): void {
    this.found += 1;
    if (this.fields.length < mostIssues) this.fields.push({ path: pathOf(line, column), message });
  }

  /** @throws BadUserInputError when there are any */
  refuse(): void {
    const more = this.found - this.fields.length;
    if (more > 0) this.fields.push({ path: 'body', message: `has ${more} more issues` });
    if (this.found > 0) throw new BadUserInputError(this.fields);
  }
}

const pathOf = (line: number, column?: string): string =>
  `lines[${line}]${column === undefined || column === '' ? '' : `.${column}`}`;

/** The column that a path of an input names: `features[2].value` is the code of that feature. */
function columnOf(path: string, patient: unknown): string {
  const place = /^features\[(\d+)\]\.value$/.exec(path)?.[1];
  const { features } = patient as { readonly features?: readonly { readonly code?: unknown }[] };
  const code = place === undefined ? undefined : features?.[Number(place)]?.code;
  return typeof code === 'string' ? code : path;
}

/** Characters of the lines of a group. The most that is held of a cohort whose lines are long. */
const largestGroup = 2 * 1024 * 1024;

/** Gives lines in groups of as many as one upsert takes, and of fewer when they are long. */
async function* inGroups(lines: AsyncIterable<CohortInput>): AsyncGenerator<CohortInput[]> {
  let group: CohortInput[] = [];
  let size = 0;
  for await (const line of lines) {
    group.push(line);
    size += line.size;
    if (group.length < mostUpserts && size < largestGroup) continue;
    yield group;
    group = [];
    size = 0;
  }
  if (group.length > 0) yield group;
}
