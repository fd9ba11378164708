import type { RequestOrigin } from '../auth/viewer.js';
import type { UnchainedEvent } from './audit-chain.js';

/** An event, and the request that it belongs to. A request is one object, so it also tells requests apart. */
export interface RequestEvent {
  readonly origin: RequestOrigin;
  readonly event: UnchainedEvent;
}

/** Merges the events of a group, and knows which reads are on record already. */
interface EventMerger {
  /**
   * Merges events of one request that differ in their patients only, so that one request cannot fill the audit trail:
   * - reads become one event that holds each patient once, without the patients that are on record
   * - equal refusals become one event that counts them
   * @returns the events to write, in their order
   */
  merge(group: readonly RequestEvent[]): UnchainedEvent[];
  /** Remembers the reads of a group that is durable now. */
  written(group: readonly RequestEvent[]): void;
}

/** The patients whose reads one request has on record, by the name of the read. */
type ReadsOnRecord = Map<string, Set<string>>;

/** An event that others are merged into, and the ids of its patients. */
interface MergedEvent {
  readonly event: UnchainedEvent;
  readonly held: Set<string>;
}

export function createEventMerger(): EventMerger {
  const onRecord = new WeakMap<RequestOrigin, ReadsOnRecord>();

  return {
    merge(group) {
      const merged = new Map<RequestOrigin, Map<string, MergedEvent>>();
      return group.flatMap(({ origin, event }) => {
        if (!isRead(event) && event.outcome !== 'DENIED') return [event];
        const name = nameOf(event);
        const known = isRead(event) ? onRecord.get(origin)?.get(name) : undefined;
        const patients = known ? event.patients.filter((id) => !known.has(id.toHexString())) : event.patients;
        if (known && patients.length === 0) return [];
        const ofRequest = merged.get(origin) ?? new Map<string, MergedEvent>();
        merged.set(origin, ofRequest);
        const first = ofRequest.get(name);
        if (!first) {
          const own = { ...event, patients: [...patients] };
          ofRequest.set(name, { event: own, held: new Set(patients.map((id) => id.toHexString())) });
          return [own];
        }
        for (const id of patients) {
          if (first.held.has(id.toHexString())) continue;
          first.held.add(id.toHexString());
          first.event.patients.push(id);
        }
        if (event.outcome === 'DENIED') first.event.count = (first.event.count ?? 1) + 1;
        return [];
      });
    },

    written(group) {
      for (const { origin, event } of group) {
        // A subscription goes on for hours, so each of its reads is recorded.
        if (origin.lasting || !isRead(event)) continue;
        const reads: ReadsOnRecord = onRecord.get(origin) ?? new Map<string, Set<string>>();
        onRecord.set(origin, reads);
        const name = nameOf(event);
        const patients = reads.get(name) ?? new Set<string>();
        reads.set(name, patients);
        for (const id of event.patients) patients.add(id.toHexString());
      }
    },
  };
}

/** An allowed read of patients. A read that names no patient tells of itself only, so each one is kept. */
const isRead = ({ action, outcome, patients }: UnchainedEvent): boolean =>
  outcome === 'ALLOWED' && action.endsWith(':read') && patients.length > 0;

/** Everything that two events of one request must have in common to be merged. */
const nameOf = ({ organization, username, role, action, outcome, subject, flagged }: UnchainedEvent): string =>
  JSON.stringify([organization, username, role, action, outcome, subject?.kind, subject?.id, flagged]);
