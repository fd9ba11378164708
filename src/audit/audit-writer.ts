import { setImmediate as turn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { AuditEvent, Models, ScoringJob } from '../../models/index.js';
import { isDatabaseOutage, isDuplicateKey, longestWaitMs, slowestReadMs } from '../storage/database.js';
import { ServiceUnavailableError } from '../errors.js';
import { createGroupCommit, type GroupResult } from '../storage/group-commit.js';
import { chainEvent, emptyChain, sealHead, type ChainEnd, type UnchainedEvent } from './audit-chain.js';
import type { AuditActor, AuditEntry, AuditTrail } from './audit-trail.js';
import type { ProtectionOf } from '../protection/protection.js';
import { logError } from '../process/logger.js';
import { createSerialTask } from '../process/serial-task.js';
import { withinTime } from '../process/within-time.js';
import { createInsertions, UnansweredError } from './insertions.js';
import { createEventMerger, type RequestEvent } from './merge-events.js';

/** Gives the key of an organization's chain. It never changes, because the whole chain is checked with it. */
export type AuditKeyOf = (organization: Types.ObjectId) => Promise<Buffer>;

/**
 * Milliseconds between two writes of the heads of chains that grow. Until a head is written, a cut at the
 * end of its chain shows only against an anchor (see audit-chain.ts).
 */
const headPeriodMs = 1_000;

/** Longest time for the last heads when the audit trail closes, milliseconds. */
const closeMs = 5_000;

/**
 * Ends of chains that a process remembers, and for how long, milliseconds. An end must be forgotten long before its event
 * can be archived: without the events behind it, its place would look free. The system clock is used because it continues
 * while the machine sleeps.
 */
const rememberedEnds = { max: 10_000, ttl: 60_000, perf: Date };

/** Most attempts to append. In each failed try, another process has appended an event first. */
const largestTries = 100;

/** The audit trail for the composition root, which also closes it. */
export interface AuditWriter extends AuditTrail {
  /** The part of this process's events that is not safe yet. */
  backlog(): AuditBacklog;
  /** Writes the heads that are not written yet, and ends. The log names the failure of those that cannot be written. */
  close(): Promise<void>;
}

/** Events and ends of chains that are not written yet. */
interface AuditBacklog {
  /** Events whose callers wait for them to be durable. */
  readonly waiting: number;
  /** Seconds since the oldest end of a chain that is not sealed by a head. 0 when all are. */
  readonly unsealedSeconds: number;
}

const notCarriedOut = 'The audit trail cannot be written, so the request was not carried out: try again in a moment.';
const perhapsAccepted =
  'MongoDB did not answer, so the job may have been accepted: look for it before you submit it again, or submit with an ' +
  'idempotencyKey.';

/** An event to append, and the job whose submission it records. */
interface AppendRequest extends RequestEvent {
  readonly job?: ScoringJob | undefined;
}
const hasJob = (request: AppendRequest): request is AppendRequest & { readonly job: ScoringJob } =>
  request.job !== undefined;

interface AuditTrailDependencies {
  readonly models: Models;
  readonly keyOf: AuditKeyOf;
  readonly logger: Logger;
}

/**
 * Appends events to the chains in MongoDB. Several processes may append to one chain.
 * 1. Events that happen at the same time form a group, and the group is split by organization.
 * 2. Events of one request that differ in their patients only are merged (merge-events.ts).
 * 3. Each event gets its sequence number and hash behind the last known end of its chain.
 * 4. One insert writes the events of an organization. The jobs whose submissions they record are behind them in the same
 *    write (joint-writes.ts), or are inserted after it.
 * 5. If another process has taken a sequence number (unique index), the end is read again, and the rest is tried again.
 * 6. The heads of the chains that grew are written every `headPeriodMs`, one after the other.
 * 7. When MongoDB stands still, an event that waits behind others is refused after `longestWaitMs`, and so is its request.
 */
export function createAuditTrail({ models, keyOf, logger }: AuditTrailDependencies): AuditWriter {
  const { auditEvents, auditHeads } = models;
  const ends = new LRUCache<string, ChainEnd>(rememberedEnds);
  /** The time since when the head of a chain is behind, by organization. */
  const unwrittenHeads = new Map<string, number>();
  /** The same time for the head that is being written. */
  let beingWritten: number | undefined;
  let waiting = 0;

  async function readEnd(organization: Types.ObjectId): Promise<ChainEnd> {
    const last = await auditEvents.collection.findOne(
      { organization },
      { maxTimeMS: slowestReadMs, sort: { sequence: -1 }, projection: { sequence: 1, hash: 1 } },
    );
    return last ? { sequence: last.sequence as number, hash: last.hash as string } : emptyChain;
  }

  const insertions = createInsertions(models);

  /**
   * Appends all events of one organization, in their order, and inserts the jobs that they record.
   * @returns the outcome of each job
   * @throws an error of the key or of MongoDB, or one after `largestTries` tries. No job is inserted then
   */
  async function append(
    organization: Types.ObjectId,
    events: readonly UnchainedEvent[],
    jobs: readonly ScoringJob[],
  ): Promise<GroupResult<void>[]> {
    const id = organization.toHexString();
    const key = await keyOf(organization);
    let left = events;
    for (let tries = 0; left.length > 0; tries += 1) {
      if (tries === largestTries) throw new Error('the chain grows faster than this process can append to it');
      let end = ends.get(id) ?? (await readEnd(organization));
      const chained: AuditEvent[] = [];
      for (const event of left) {
        const next = chainEvent(event, end, key);
        chained.push(next);
        end = next;
      }
      // The end is forgotten now, and remembered when the insert has succeeded. After an error it is not known.
      ends.delete(id);
      const { written, outcomes } = await insertions.insert(chained, jobs);
      if (written > 0 && !unwrittenHeads.has(id)) unwrittenHeads.set(id, performance.now());
      if (outcomes) {
        ends.set(id, { sequence: end.sequence, hash: end.hash });
        return outcomes;
      }
      left = left.slice(written);
    }
    return [];
  }

  const merger = createEventMerger();

  const appendTogether = createGroupCommit<AppendRequest, GroupResult<void>>(
    async (requests) => {
      const idOf = ({ event }: AppendRequest): string => event.organization.toHexString();
      const outcomes = new Map<AppendRequest, GroupResult<GroupResult<void>>>();
      await Promise.all(
        [...new Set(requests.map(idOf))].map(async (id) => {
          const own = requests.filter((request) => idOf(request) === id);
          const submissions = own.filter(hasJob);
          for (const request of own) outcomes.set(request, { value: { value: undefined } });
          try {
            const jobs = submissions.map(({ job }) => job);
            const inserted = await append(new Types.ObjectId(id), merger.merge(own), jobs);
            merger.written(own);
            submissions.forEach((request, index) => outcomes.set(request, { value: inserted[index]! }));
          } catch (error) {
            for (const request of own) outcomes.set(request, { error });
          }
        }),
      );
      return requests.map((request) => outcomes.get(request)!);
    },
    // Waits for one turn of the event loop, so that more events join the next group. A write to the journal costs about
    // the same for one event as for ten. A busy process has long turns, and so writes large groups. An idle one has
    // short turns, so no caller waits long. A fixed time would always delay callers.
    { gather: () => turn(), longestWaitMs },
  );

  async function writeHead(id: string): Promise<void> {
    const organization = new Types.ObjectId(id);
    const end = ends.get(id) ?? (await readEnd(organization));
    const { _id, ...head } = sealHead(organization, end, await keyOf(organization));
    // Another process may have written a later head. Then no document matches, and the upsert fails because the id is
    // taken.
    await auditHeads.collection
      .updateOne({ _id, sequence: { $lt: end.sequence } }, { $set: head }, { upsert: true })
      .catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
      });
  }

  /**
   * Tries each head once. Those that cannot be written are tried again in the next round, and their age goes on. The
   * round ends early when MongoDB is away.
   */
  async function writeHeads(): Promise<void> {
    const errors: unknown[] = [];
    for (const [id, since] of [...unwrittenHeads]) {
      // An event that is appended meanwhile needs another head.
      unwrittenHeads.delete(id);
      beingWritten = since;
      try {
        await writeHead(id);
      } catch (error) {
        unwrittenHeads.set(id, since);
        errors.push(error);
        if (isDatabaseOutage(error)) break;
      } finally {
        beingWritten = undefined;
      }
    }
    if (errors.length > 0)
      logError(logger, errors[0], 'heads of the audit trail not written', { level: 'warn', heads: errors.length });
  }
  const heads = createSerialTask(writeHeads);
  const timer = setInterval(() => void heads.run(), headPeriodMs);
  timer.unref();

  async function write(actor: AuditActor, entry: AuditEntry, job?: ScoringJob): Promise<GroupResult<void>> {
    waiting += 1;
    try {
      return await appendTogether({ origin: actor.origin, event: toEvent(actor, entry), job });
    } catch (error) {
      const { requestId } = actor.origin;
      logError(logger, error, 'audit event not written', { action: entry.action, requestId });
      throw new ServiceUnavailableError(job && error instanceof UnansweredError ? perhapsAccepted : notCarriedOut, {
        cause: error,
      });
    } finally {
      waiting -= 1;
    }
  }

  return {
    async record(actor, entry) {
      await write(actor, entry);
    },
    recordSubmission: write,
    backlog() {
      const now = performance.now();
      const oldest = Math.min(...unwrittenHeads.values(), beingWritten ?? now);
      return { waiting, unsealedSeconds: (now - oldest) / 1_000 };
    },
    async close() {
      clearInterval(timer);
      await withinTime(heads.run(), closeMs, () => logger.warn('heads of the audit trail not written before the end'));
    },
  };
}

function toEvent(actor: AuditActor, { action, outcome, patientIds, subject, flagged }: AuditEntry): UnchainedEvent {
  return {
    _id: new Types.ObjectId(),
    organization: new Types.ObjectId(actor.organizationId),
    occurredAt: new Date(),
    username: actor.username,
    ...(actor.role && { role: actor.role }),
    address: actor.origin.address,
    requestId: actor.origin.requestId,
    action,
    outcome,
    patients: (patientIds ?? []).map((id) => new Types.ObjectId(id)),
    ...(subject && { subject: { kind: subject.kind, id: subject.id } }),
    flagged: flagged ?? false,
  };
}

/** The keys of the audit chains: one per organization. A key never changes, and is never stored unencrypted. */
export function auditKeys(protectionOf: ProtectionOf): AuditKeyOf {
  return async (organization) => (await protectionOf(organization).writer()).derivedKey('audit');
}
