import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Types } from 'mongoose';
import type { AuditEvent, AuditHead } from '../../models/index.js';

/** What the first event of a chain has in place of a hash before it. */
const chainStart = '0'.repeat(64);

/** An event before it has a place in the chain. */
export type UnchainedEvent = Omit<AuditEvent, 'sequence' | 'previousHash' | 'hash'>;

/** The last event of a chain. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/** Where a chain begins. */
export const emptyChain: ChainEnd = { sequence: 0, hash: chainStart };

/**
 * Puts an event behind the end of a chain. The hash is keyed: who can write to the database, but has not the key,
 * cannot make a chain that holds. Linking by hash follows Haber and Stornetta, "How to time-stamp a digital document",
 * Journal of Cryptology 3 (1991).
 */
export function chainEvent(event: UnchainedEvent, end: ChainEnd, key: Buffer): AuditEvent {
  const linked = { ...event, sequence: end.sequence + 1, previousHash: end.hash };
  return { ...linked, hash: hashOf(linked, key) };
}

/** Hexadecimal HMAC-SHA-256 over every field of an event but its own hash, in a fixed order. */
function hashOf(event: Omit<AuditEvent, 'hash'>, key: Buffer): string {
  const fields = [
    event._id.toHexString(),
    event.organization.toHexString(),
    event.sequence,
    event.occurredAt.toISOString(),
    event.username,
    event.role ?? null,
    event.address,
    event.requestId,
    event.action,
    event.outcome,
    event.patients.map((id) => id.toHexString()),
    event.subject ? [event.subject.kind, event.subject.id] : null,
    event.flagged,
    event.previousHash,
  ];
  return hmac(key, JSON.stringify(fields));
}

/** Seals how far a chain has got. */
export function sealHead(organization: Types.ObjectId, end: ChainEnd, key: Buffer): AuditHead {
  return {
    _id: organization,
    sequence: end.sequence,
    hash: end.hash,
    seal: hmac(key, JSON.stringify(['head', organization.toHexString(), end.sequence, end.hash])),
  };
}

/** One thing that is wrong with a chain. */
export interface ChainFailure {
  readonly sequence: number;
  readonly reason: string;
}

/** What was found in a chain. */
export interface ChainReport {
  readonly events: number;
  readonly end: ChainEnd;
  readonly failures: readonly ChainFailure[];
}

/** Faults told one by one; what follows the first hundred is of no more help. */
const largestReport = 100;

/**
 * Walks a chain from its first event.
 * @param events all of one organization, by sequence
 * @param head the sealed head, null where there is none
 * @param anchor an end that was noted elsewhere: the one thing that shows a chain cut off together with its head
 */
export async function examineChain(
  events: AsyncIterable<AuditEvent>,
  head: AuditHead | null,
  key: Buffer,
  anchor?: ChainEnd,
): Promise<ChainReport> {
  const failures: ChainFailure[] = [];
  const report = (sequence: number, reason: string): void =>
    void (failures.length < largestReport && failures.push({ sequence, reason }));
  const noted = new Map([
    ...(head ? [[head.sequence, head.hash] as const] : []),
    ...(anchor ? [[anchor.sequence, anchor.hash] as const] : []),
  ]);
  let end = emptyChain;
  let count = 0;
  for await (const event of events) {
    count += 1;
    if (event.sequence !== end.sequence + 1)
      report(event.sequence, `${event.sequence - end.sequence - 1} events before it are missing`);
    else if (event.previousHash !== end.hash) report(event.sequence, 'does not follow from the event before it');
    if (!sameHash(hashOf(event, key), event.hash)) report(event.sequence, 'was changed after it was written');
    const expected = noted.get(event.sequence);
    if (expected !== undefined && expected !== event.hash)
      report(event.sequence, 'is not the event that was noted here');
    end = { sequence: event.sequence, hash: event.hash };
  }
  if (head && !sameHash(sealHead(head._id, head, key).seal, head.seal))
    report(head.sequence, 'the head of the chain was changed');
  const longest = Math.max(0, ...noted.keys());
  if (longest > end.sequence)
    report(longest, `the chain ends at ${end.sequence}: ${longest - end.sequence} events are missing from its end`);
  return { events: count, end, failures };
}

const hmac = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('hex');

function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
