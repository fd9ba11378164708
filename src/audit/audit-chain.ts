import { createHmac, timingSafeEqual } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Types } from 'mongoose';
import type { AuditEvent, AuditHead } from '../../models/index.js';

/** Events that are examined in one turn of the event loop. They take some 5 milliseconds. */
const eventsPerTurn = 500;

/** The previous hash of the first event of a chain. */
const chainStart = '0'.repeat(64);

/** An event before it has a place in the chain. */
export type UnchainedEvent = Omit<AuditEvent, 'sequence' | 'previousHash' | 'hash'>;

/** The last event of a chain. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

/** The end of a chain without events. */
export const emptyChain: ChainEnd = { sequence: 0, hash: chainStart };

/**
 * Appends an event to the end of a chain. The hash is keyed: an attacker who can write to the database but does not
 * have the key cannot make a valid chain. Linking by hash follows Haber and Stornetta, "How to time-stamp a digital
 * document", Journal of Cryptology 3 (1991).
 */
export function chainEvent(event: UnchainedEvent, end: ChainEnd, key: Buffer): AuditEvent {
  const linked = { ...event, sequence: end.sequence + 1, previousHash: end.hash };
  return { ...linked, hash: hashOf(linked, key) };
}

/** Hexadecimal HMAC-SHA-256 over every field of an event except its own hash, in a fixed order. */
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
    // Only merged refusals have a count.
    ...(event.count === undefined ? [] : [event.count]),
  ];
  return hmac(key, JSON.stringify(fields));
}

/** Makes the sealed head of a chain: its present end, with an HMAC over it. */
export function sealHead(organization: Types.ObjectId, end: ChainEnd, key: Buffer): AuditHead {
  return {
    _id: organization,
    sequence: end.sequence,
    hash: end.hash,
    seal: hmac(key, JSON.stringify(['head', organization.toHexString(), end.sequence, end.hash])),
  };
}

/** Hexadecimal HMAC-SHA-256 that proves the end of the archived part of a chain. */
export const sealArchived = (organization: Types.ObjectId, { sequence, hash }: ChainEnd, key: Buffer): string =>
  hmac(key, JSON.stringify(['archived', organization.toHexString(), sequence, hash]));

/**
 * The event behind which the stored part of a chain begins.
 * @returns undefined when its seal does not fit: it was changed
 */
export function archivedEnd({ _id, archived }: AuditHead, key: Buffer): ChainEnd | undefined {
  if (!archived) return emptyChain;
  const { sequence, hash, seal } = archived;
  return sameHash(sealArchived(_id, archived, key), seal) ? { sequence, hash } : undefined;
}

/** One failure of a chain: the event's sequence number, and the reason. */
export interface ChainFailure {
  readonly sequence: number;
  readonly reason: string;
}

/** The result of examining a chain. */
export interface ChainReport {
  readonly events: number;
  readonly end: ChainEnd;
  readonly failures: readonly ChainFailure[];
}

/** The most failures that a report lists. Those after the first hundred are of no more help. */
const largestReport = 100;

/** Facts about a chain that were noted outside of its events. */
interface NotedFacts {
  /** The sealed head, null when there is none. */
  readonly head?: AuditHead | null;
  /** An end that was noted outside the database. Without it, a chain that was cut off with its head looks complete. */
  readonly anchor?: ChainEnd | undefined;
  /** The event before the first one, when the events before are in an archive. @defaultValue the start of the chain */
  readonly after?: ChainEnd;
}

/**
 * Examines a chain from its first event. For each event it checks, in this order:
 * 1. its sequence number follows the one before it, and its previous hash is the hash of that event
 * 2. its own hash fits its fields
 * 3. it is the event that the head, the anchor or the archive noted under its number, if one of them did
 * After the last event it checks the seal of the head, and that no event is missing from the end. Other work of the
 * process has its turn in between.
 * @param events all stored events of one organization, by sequence. Some before `after` may still be there: archiving
 *   removes them last
 */
export async function examineChain(
  events: AsyncIterable<AuditEvent> | Iterable<AuditEvent>,
  key: Buffer,
  { head = null, anchor, after = emptyChain }: NotedFacts = {},
): Promise<ChainReport> {
  const failures: ChainFailure[] = [];
  const report = (sequence: number, reason: string): void =>
    void (failures.length < largestReport && failures.push({ sequence, reason }));
  const noted = new Map(
    [after, ...(head ? [head] : []), ...(anchor ? [anchor] : [])].map((end) => [end.sequence, end.hash]),
  );
  let end = after;
  let count = 0;
  for await (const event of events) {
    // Up to `after` the archives are complete, and any part of those events may still be here.
    if (event.sequence <= after.sequence + 1 && event.sequence !== end.sequence + 1)
      end = event.sequence > after.sequence ? after : { sequence: event.sequence - 1, hash: event.previousHash };
    count += 1;
    if (event.sequence !== end.sequence + 1)
      report(event.sequence, `${event.sequence - end.sequence - 1} events before it are missing`);
    else if (event.previousHash !== end.hash) report(event.sequence, 'does not follow from the event before it');
    if (!sameHash(hashOf(event, key), event.hash)) report(event.sequence, 'was changed after it was written');
    const expected = noted.get(event.sequence);
    if (expected !== undefined && expected !== event.hash)
      report(event.sequence, 'is not the event that was noted here');
    end = { sequence: event.sequence, hash: event.hash };
    if (count % eventsPerTurn === 0) await turn();
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
