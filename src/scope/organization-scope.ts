import { Types } from 'mongoose';
import type {
  ApiKey,
  AuditEvent,
  Models,
  Organization,
  Prediction,
  PredictionBlock,
  ScoringChunk,
  ScoringJob,
  Session,
  StoredBreakGlassAccess,
  StoredPatient,
  User,
} from '../../models/index.js';
import { patientFence, type Member } from '../auth/care-team.js';
import { slowestReadMs } from '../storage/database.js';
import { createPatientRecords, type PatientRecords } from './patient-records.js';
import type { Protection, ProtectionOf } from '../protection/protection.js';
import { type ScopedCollection, scopedCollection } from './scoped-collection.js';

/**
 * The documents of one organization. Services that act for a caller are given this and not the models: the tenant is
 * part of every query below them, not of their own care.
 */
export interface OrganizationScope {
  readonly id: Types.ObjectId;
  /** The patients that are visible to the member: for a clinician those whose care team does not leave them out. */
  readonly patients: PatientRecords;
  /** All patients, whatever their care team. For telling a closed patient from none, and for breaking the glass. */
  readonly everyPatient: PatientRecords;
  /** The fields of all patients that say to whom they are visible. */
  readonly careTeams: Pick<ScopedCollection<StoredPatient>, 'find' | 'ids' | 'updateMany'>;
  readonly breakGlassAccesses: ScopedCollection<StoredBreakGlassAccess>;
  /** Predictions stored by themselves; those of batches are in blocks. See `storedPredictions`, which knows both. */
  readonly predictions: ScopedCollection<Prediction>;
  readonly predictionBlocks: ScopedCollection<PredictionBlock>;
  readonly scoringJobs: ScopedCollection<ScoringJob>;
  /** Read only: events are appended by the audit trail alone. */
  readonly auditEvents: Pick<ScopedCollection<AuditEvent>, 'find' | 'findOne' | 'count'>;
  readonly users: ScopedCollection<User>;
  readonly sessions: ScopedCollection<Session>;
  readonly apiKeys: ScopedCollection<ApiKey>;
  /** The chunks of a batch of this organization; of none, when the job is another's. */
  chunks(job: ScoringJob): ScopedChunks;
  /** Encrypts and indexes what else of this organization must not be stored as it is. */
  readonly protection: Protection;
  /** The organization itself. */
  organization(): Promise<Organization>;
}

/** The chunks of one batch. They carry no organization of their own; their job does. */
export interface ScopedChunks {
  /** Those with failures, lowest number first, each with at most `failures` of them. */
  failed(failures: number): Promise<ScoringChunk[]>;
  /** Lets what is not done be tried as often again as at first. */
  resetAttempts(): Promise<void>;
}

/** The scope of the organization that somebody belongs to. */
export type ScopeOf = (member: Member) => OrganizationScope;

export function createOrganizationScopes(models: Models, protectionOf: ProtectionOf): ScopeOf {
  return (member) => {
    const id = new Types.ObjectId(member.organizationId);
    const protection = protectionOf(id);
    // Made when asked for: a request needs few of them, and there is a scope a request.
    return {
      id,
      get patients() {
        return createPatientRecords(
          scopedCollection<StoredPatient>(models.patients, id, patientFence(member)),
          id,
          protection,
        );
      },
      get everyPatient() {
        return createPatientRecords(scopedCollection<StoredPatient>(models.patients, id), id, protection);
      },
      get careTeams() {
        return scopedCollection<StoredPatient>(models.patients, id);
      },
      get breakGlassAccesses() {
        return scopedCollection<StoredBreakGlassAccess>(models.breakGlassAccesses, id);
      },
      get predictions() {
        return scopedCollection<Prediction>(models.predictions, id);
      },
      get predictionBlocks() {
        return scopedCollection<PredictionBlock>(models.predictionBlocks, id);
      },
      get scoringJobs() {
        return scopedCollection<ScoringJob>(models.scoringJobs, id);
      },
      get auditEvents() {
        return scopedCollection<AuditEvent>(models.auditEvents, id);
      },
      protection,
      get users() {
        return scopedCollection<User>(models.users, id);
      },
      get sessions() {
        return scopedCollection<Session>(models.sessions, id);
      },
      get apiKeys() {
        return scopedCollection<ApiKey>(models.apiKeys, id);
      },
      chunks: (job) => scopedChunks(models, job, id),
      organization: () => models.organizations.findById(id).lean<Organization>().orFail(),
    };
  };
}

function scopedChunks({ scoringChunks }: Models, job: ScoringJob, organization: Types.ObjectId): ScopedChunks {
  const filter = job.organization.equals(organization) ? { job: job._id } : { _id: { $in: [] } };
  return {
    failed: (failures) =>
      scoringChunks
        .find({ ...filter, done: true, failed: { $gt: 0 } }, { failures: { $slice: failures } })
        .sort({ number: 1 })
        .limit(failures)
        .maxTimeMS(slowestReadMs)
        .lean<ScoringChunk[]>(),
    async resetAttempts() {
      await scoringChunks.updateMany({ ...filter, done: false }, { $set: { attempts: 0 } });
    },
  };
}
