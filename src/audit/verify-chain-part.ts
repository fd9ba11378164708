import type { Types } from 'mongoose';
import type { AuditEvent, AuditHead, Models } from '../../models/index.js';
import { BadUserInputError } from '../errors.js';
import { slowestReadMs } from '../storage/database.js';
import { againstHead } from './against-head.js';
import { archivedEnd, emptyChain, examineChain, type ChainEnd, type ChainFailure } from './audit-chain.js';
import type { AuditKeyOf } from './audit-writer.js';

/** The most events of one part. Examining them takes some 50 milliseconds, with turns of other work in between. */
const largestPart = 5_000;

/** A part of a chain that was examined. */
export interface ChainPart {
  readonly events: number;
  /** Sequence number of the last event of the part. The next part begins behind it. */
  readonly through: number;
  /** Sequence number at which the chain ended when the part was examined. */
  readonly end: number;
  readonly isComplete: boolean;
  /** Events up to this number are in archives. */
  readonly archivedThrough: number;
  readonly failures: readonly ChainFailure[];
}

interface PartRequest {
  readonly organization: Types.ObjectId;
  readonly keyOf: AuditKeyOf;
  /** The sequence number of the event behind which to begin. */
  readonly after: number;
}

type ChainModels = Pick<Models, 'auditEvents' | 'auditHeads'>;

/**
 * Examines a part of the chain of one organization. Parts one after the other examine all of it: each begins with the
 * event at which the one before it ended, so that a change in between is found. The part with the event that the head
 * names also checks the head.
 * @throws BadUserInputError when there is no event `after`
 */
export async function verifyChainPart(models: ChainModels, request: PartRequest): Promise<ChainPart> {
  const part = await againstHead(models, request.organization, async (head) => {
    const result = await examinePart(models, request, head);
    return { result, isSound: result?.failures.length === 0 };
  });
  if (!part) throw new BadUserInputError([{ path: 'after', message: 'there is no event with this number' }]);
  return part;
}

/** @returns undefined when there is no event `after` */
async function examinePart(
  { auditEvents }: ChainModels,
  { organization, keyOf, after }: PartRequest,
  head: AuditHead | null,
): Promise<ChainPart | undefined> {
  const key = await keyOf(organization);
  const archived = head ? archivedEnd(head, key) : emptyChain;
  const first = archived ?? emptyChain;
  const start = after <= first.sequence ? first : await endAt(after);
  if (!start) return undefined;
  const events = (await auditEvents.collection
    .find(
      { organization, sequence: { $gt: start.sequence } },
      { sort: { sequence: 1 }, limit: largestPart, maxTimeMS: slowestReadMs },
    )
    .toArray()) as unknown as AuditEvent[];
  const isComplete = events.length < largestPart;
  // The head belongs to the part with its event. Events are written before it notes them: this may be an earlier part.
  const isLater = after > first.sequence && head && head.sequence <= start.sequence;
  const hasHead = !isLater && (isComplete || (head && head.sequence <= events.at(-1)!.sequence));
  const report = await examineChain(events, key, { after: start, ...(hasHead && { head }) });
  const changed = { sequence: head?.archived?.sequence ?? 0, reason: 'the note of the archived events was changed' };
  return {
    events: report.events,
    through: report.end.sequence,
    end: Math.max(report.end.sequence, head?.sequence ?? 0),
    isComplete,
    archivedThrough: first.sequence,
    failures: archived ? report.failures : [changed, ...report.failures],
  };

  async function endAt(sequence: number): Promise<ChainEnd | undefined> {
    const event = await auditEvents.findOne({ organization, sequence }).lean<AuditEvent>();
    return event ? { sequence, hash: event.hash } : undefined;
  }
}
