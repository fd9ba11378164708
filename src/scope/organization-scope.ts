import { Types, type Model } from 'mongoose';
import {
  searchTokensRepair,
  type ApiKey,
  type AuditEvent,
  type Models,
  type Organization,
  type Prediction,
  type PredictionBlock,
  type Repair,
  type ScoringChunk,
  type ScoringJob,
  type Session,
  type StoredBreakGlassAccess,
  type StoredPatient,
  type User,
  type WebhookDelivery,
  type WebhookEndpoint,
} from '../../models/index.js';
import { patientFence, type Member } from '../auth/care-team.js';
import { slowestReadMs } from '../storage/database.js';
import { removeFromLog } from '../storage/document-log.js';
import { groupedRead, type GroupedRead } from './grouped-reads.js';
import { createKeptDocuments } from './kept-documents.js';
import { createPatientDecryption, type PatientDecryption } from './patient-cipher.js';
import { createPatientRecords, type PatientRecords } from './patient-records.js';
import type { Protection, ProtectionOf } from '../protection/protection.js';
import {
  type OrganizationDocument,
  type ScopedCollection,
  scopedCollection,
  type Sharing,
} from './scoped-collection.js';
import { createSharedReads } from './shared-reads.js';

/**
 * The documents of one organization. Services that act for a caller get this, and not the models. Each query below it
 * names the organization, so a service cannot forget to.
 */
export interface OrganizationScope {
  readonly id: Types.ObjectId;
  /** The patients that are visible to the member. For a clinician, the care-team fence hides the others. */
  readonly patients: PatientRecords;
  /** All patients, without the fence. Used to tell a hidden patient from a missing one, and for break-glass access. */
  readonly everyPatient: PatientRecords;
  /** The care teams and grants of all patients, which decide to whom a patient is visible. */
  readonly careTeams: Pick<ScopedCollection<StoredPatient>, 'find' | 'ids' | 'updateMany'>;
  /** Reads the care teams and grants of some patients. A patient without a team may be left out. */
  careTeamsOf(ids: readonly Types.ObjectId[]): Promise<readonly CareTeam[]>;
  readonly breakGlassAccesses: ScopedCollection<StoredBreakGlassAccess>;
  /** Predictions that are stored one by one. Those of batches are in blocks. `storedPredictions` reads both. */
  readonly predictions: ScopedCollection<Prediction>;
  readonly predictionBlocks: ScopedCollection<PredictionBlock>;
  readonly scoringJobs: ScopedCollection<ScoringJob>;
  /** The audit events, to read only. The audit trail alone appends events. */
  readonly auditEvents: Pick<ScopedCollection<AuditEvent>, 'name' | 'find' | 'findPage' | 'findOne' | 'count'>;
  readonly users: ScopedCollection<User>;
  readonly sessions: ScopedCollection<Session>;
  readonly apiKeys: ScopedCollection<ApiKey>;
  readonly webhookEndpoints: ScopedCollection<WebhookEndpoint>;
  readonly webhookDeliveries: ScopedCollection<WebhookDelivery>;
  /** The chunks of a batch. When the job is of another organization, there are none. */
  chunks(job: ScoringJob): ScopedChunks;
  /** Encrypts and indexes other values of this organization that must not be stored in the clear. */
  readonly protection: Protection;
  /** Tells whether patients can be found by prefixes: null when that is switched off; unfinished while it is prepared. */
  prefixSearch(): Promise<Pick<Repair, 'processed' | 'total' | 'finishedAt'> | null>;
  /** The organization itself. */
  organization(): Promise<Organization>;
}

/** The part of a patient that decides to whom it is visible. */
type CareTeam = Pick<StoredPatient, '_id' | 'careTeam' | 'breakGlass'>;

/** The chunks of one batch. A chunk does not name its organization; its job does. */
export interface ScopedChunks {
  /** The chunks that are done from this number on, lowest number first. */
  done(from: number, limit: number): Promise<ScoringChunk[]>;
  /** The chunks with failures from this number on, lowest number first. */
  failed(from: number, limit: number): Promise<ScoringChunk[]>;
  /** Number of failures, without those of the closed patients. */
  countFailures(closed: readonly Types.ObjectId[]): Promise<number>;
  /** Patients of the largest chunk. All chunks but the last one have this size. 0 when there is no chunk. */
  largest(): Promise<number>;
  /** Resets the attempts of the chunks that are not done, so that each has all of them again. */
  resetAttempts(): Promise<void>;
  /** Removes the outcomes of the chunks that have no prediction, so that these chunks are run again. */
  reopen(): Promise<void>;
}

const careTeamFields = { careTeam: 1, breakGlass: 1 } as const;

/** Gives the scope of a member's organization. */
export type ScopeOf = (member: Member) => OrganizationScope;

export function createOrganizationScopes(models: Models, protectionOf: ProtectionOf): ScopeOf {
  const [pages, kept] = [createSharedReads(), createKeptDocuments()];
  const patientSharing = {
    pages,
    kept,
    grouped: { _id: groupedRead<StoredPatient>(models.patients, '_id', { kept }) },
  };
  // Predictions are not kept: their readers remember explanations that they computed, as long as they hold the object.
  const predictionSharing = {
    pages,
    grouped: {
      _id: groupedRead<Prediction>(models.predictions, '_id'),
      job: groupedRead<Prediction>(models.predictions, 'job'),
    },
  };
  const parts: CommonParts = {
    models,
    protectionOf,
    patientSharing,
    predictionSharing,
    jobSharing: { grouped: { _id: groupedRead<ScoringJob>(models.scoringJobs, '_id') } },
    decrypt: createPatientDecryption(),
    careTeam: groupedRead<StoredPatient>(models.patients, '_id', { projection: careTeamFields }),
  };
  return (member) => new MemberScope(parts, member);
}

/** The parts that all scopes of a process have in common. */
interface CommonParts {
  readonly models: Models;
  readonly protectionOf: ProtectionOf;
  readonly patientSharing: Sharing<StoredPatient>;
  readonly predictionSharing: Sharing<Prediction>;
  readonly jobSharing: Sharing<ScoringJob>;
  readonly decrypt: PatientDecryption;
  readonly careTeam: GroupedRead<CareTeam>;
}

/**
 * The scope of one member. Each part is made when it is read: there is one scope per request, and a request needs few
 * parts. A class, because getters of an object literal cost memory: docs/decisions/0026-getters-of-classes.md.
 */
class MemberScope implements OrganizationScope {
  readonly id: Types.ObjectId;
  private readonly models: Models;

  constructor(
    private readonly parts: CommonParts,
    private readonly member: Member,
  ) {
    this.id = new Types.ObjectId(member.organizationId);
    this.models = parts.models;
  }

  get protection() {
    return this.parts.protectionOf(this.id);
  }
  get patients() {
    return this.records(patientFence(this.member));
  }
  get everyPatient() {
    return this.records();
  }
  get careTeams() {
    return this.own<StoredPatient>(this.models.patients);
  }
  get breakGlassAccesses() {
    return this.own<StoredBreakGlassAccess>(this.models.breakGlassAccesses);
  }
  get predictions() {
    return this.own<Prediction>(this.models.predictions, this.parts.predictionSharing);
  }
  get predictionBlocks() {
    return this.own<PredictionBlock>(this.models.predictionBlocks);
  }
  get scoringJobs() {
    return this.own<ScoringJob>(this.models.scoringJobs, this.parts.jobSharing);
  }
  get auditEvents() {
    return this.own<AuditEvent>(this.models.auditEvents);
  }
  get users() {
    return this.own<User>(this.models.users);
  }
  get sessions() {
    return this.own<Session>(this.models.sessions);
  }
  get apiKeys() {
    return this.own<ApiKey>(this.models.apiKeys);
  }
  get webhookEndpoints() {
    return this.own<WebhookEndpoint>(this.models.webhookEndpoints);
  }
  get webhookDeliveries() {
    return this.own<WebhookDelivery>(this.models.webhookDeliveries);
  }

  async careTeamsOf(ids: readonly Types.ObjectId[]): Promise<readonly CareTeam[]> {
    if (ids.length > 1)
      return this.careTeams.find(
        { _id: { $in: [...ids] }, careTeam: { $exists: true } },
        { projection: careTeamFields },
      );
    const found = await Promise.all(ids.map((patient) => this.parts.careTeam(this.id, patient)));
    return found.flatMap((patient) => patient ?? []);
  }

  async prefixSearch() {
    if (!(await this.hasPrefixSearch())) return null;
    return (
      (await this.models.repairs.findById(searchTokensRepair(this.id)).lean<Repair>()) ?? { processed: 0, total: 0 }
    );
  }

  chunks(job: ScoringJob): ScopedChunks {
    return scopedChunks(this.models, job, this.id);
  }

  organization(): Promise<Organization> {
    return this.models.organizations.findById(this.id).lean<Organization>().orFail();
  }

  private async hasPrefixSearch(): Promise<boolean> {
    return (
      (await this.models.organizations.findById(this.id, { prefixSearch: 1 }).lean<Organization>())?.prefixSearch ===
      true
    );
  }

  /** The documents of the organization. */
  private own<T extends OrganizationDocument>(
    model: Model<T>,
    options?: Parameters<typeof scopedCollection<T>>[2],
  ): ScopedCollection<T> {
    return scopedCollection(model, this.id, options);
  }

  private records(fence?: ReturnType<typeof patientFence>): PatientRecords {
    const { patientSharing, decrypt } = this.parts;
    return createPatientRecords({
      collection: this.own<StoredPatient>(this.models.patients, { fence, ...patientSharing }),
      organization: this.id,
      protection: this.protection,
      decrypt,
      hasPrefixSearch: () => this.hasPrefixSearch(),
    });
  }
}

/** The index of the chunks with failures. */
const failuresIndex = { job: 1, number: 1, failed: 1 } as const;

function scopedChunks(
  { scoringChunks, predictionBlocks }: Models,
  job: ScoringJob,
  organization: Types.ObjectId,
): ScopedChunks {
  const filter = job.organization.equals(organization) ? { job: job._id } : { _id: { $in: [] } };
  const withFailures = { ...filter, done: true, failed: { $gt: 0 } };
  return {
    done: (from, limit) =>
      scoringChunks
        .find({ ...filter, done: true, number: { $gte: from } })
        .sort({ number: 1 })
        .hint({ job: 1, number: 1 })
        .limit(limit)
        .maxTimeMS(slowestReadMs)
        .lean<ScoringChunk[]>(),
    failed: (from, limit) =>
      scoringChunks
        .find({ ...withFailures, number: { $gte: from } })
        .sort({ number: 1 })
        // Another index would leave MongoDB to sort in memory, which fails for a large batch.
        .hint(failuresIndex)
        .limit(limit)
        .maxTimeMS(slowestReadMs)
        .lean<ScoringChunk[]>(),
    async countFailures(closed) {
      const visible = { $filter: { input: '$failures.patient', cond: { $not: { $in: ['$$this', [...closed]] } } } };
      const [counted] = await scoringChunks.collection
        .aggregate<{ count: number }>(
          [{ $match: withFailures }, { $group: { _id: null, count: { $sum: { $size: visible } } } }],
          { maxTimeMS: slowestReadMs, hint: failuresIndex },
        )
        .toArray();
      return counted?.count ?? 0;
    },
    async largest() {
      const first = await scoringChunks.collection.findOne(
        { ...filter, number: 0 },
        { maxTimeMS: slowestReadMs, projection: { size: 1 } },
      );
      return (first?.size as number | undefined) ?? 0;
    },
    async resetAttempts() {
      await scoringChunks.updateMany({ ...filter, done: false }, { $set: { attempts: 0 } });
    },
    async reopen() {
      const withoutSuccess = { ...filter, done: true, $expr: { $eq: ['$failed', '$size'] } };
      // The first outcome of a chunk counts, so an old one must be gone before the chunk can be run.
      await removeFromLog(predictionBlocks.collection, { ...filter, size: 0 });
      await scoringChunks.updateMany(withoutSuccess, { $set: { done: false, failed: 0, failures: [] } });
    },
  };
}
