import { qualifiedUsername, type Viewer } from '../auth/viewer.js';
import { addressBlock } from '../net/address-block.js';
import { createCounts } from './counts.js';

/** The most places of each kind. */
export interface PlaceLimits {
  /** Places of one address (IPv6: /64) whose callers have not shown a valid credential yet. */
  readonly unprovenPerAddress: number;
  /** Places of all callers who have not shown a valid credential yet. */
  readonly unproven: number;
  readonly perUser: number;
  readonly perOrganization: number;
  /** Places of all callers with a valid credential. */
  readonly proven: number;
}

/** The user that a place is counted for. */
type PlaceOwner = Pick<Viewer, 'organizationId' | 'username'>;

/** The holder of a place. */
interface PlaceHolder {
  /** Ends the connection now, because a newer one takes its place. */
  end(): void;
}

/** Why a caller gets no place: the limit of the user, of the organization or of this process. */
export type PlaceRefusal = 'user' | 'organization' | 'process';

/**
 * The places of this process for connections, or for WebSockets. Callers who have not shown a valid credential have
 * places of their own, so that they can never take those of others. A new caller always gets a place among them: the
 * oldest one of the same address, or of the address with most of them, ends for it. So a crowd from one address never
 * ends the only one of another. Callers who are in good faith show a credential at once, and so are never the oldest
 * ones for long.
 */
export interface Places {
  /** Takes a place for a caller who has shown no credential. */
  enter(holder: PlaceHolder, address: string): void;
  /**
   * Moves a holder to the places of its user. A second call for the same holder does nothing.
   * @returns the limit that is reached; undefined when the holder has the place
   */
  prove(holder: PlaceHolder, owner: PlaceOwner): PlaceRefusal | undefined;
  /** Gives a place back. A second call does no harm. */
  leave(holder: PlaceHolder): void;
}

export function createPlaces(limits: PlaceLimits): Places {
  const unproven = new Map<PlaceHolder, string>();
  /** Holders of each address, in the order in which they came. */
  const ofAddress = new Map<string, Set<PlaceHolder>>();
  const proven = new Map<PlaceHolder, { readonly user: string; readonly organization: string }>();
  const ofUser = createCounts();
  const ofOrganization = createCounts();

  function leaveUnproven(holder: PlaceHolder): void {
    const block = unproven.get(holder);
    if (block === undefined) return;
    unproven.delete(holder);
    const neighbours = ofAddress.get(block)!;
    neighbours.delete(holder);
    if (neighbours.size === 0) ofAddress.delete(block);
  }
  function endOldest([oldest]: Iterable<PlaceHolder>): void {
    if (!oldest) return;
    leaveUnproven(oldest);
    oldest.end();
  }
  /** The callers of the address that has most of them. Of several addresses, the one that came first. */
  function largestCrowd(): ReadonlySet<PlaceHolder> {
    let largest: ReadonlySet<PlaceHolder> = new Set();
    for (const holders of ofAddress.values()) if (holders.size > largest.size) largest = holders;
    return largest;
  }

  return {
    enter(holder, address) {
      const block = addressBlock(address);
      const neighbours = ofAddress.get(block);
      if (neighbours && neighbours.size >= limits.unprovenPerAddress) endOldest(neighbours);
      else if (unproven.size >= limits.unproven) endOldest(largestCrowd());
      unproven.set(holder, block);
      const now = ofAddress.get(block) ?? new Set();
      ofAddress.set(block, now.add(holder));
    },
    prove(holder, owner) {
      if (proven.has(holder)) return undefined;
      const { organizationId } = owner;
      const user = qualifiedUsername(owner);
      if (ofUser.of(user) >= limits.perUser) return 'user';
      if (ofOrganization.of(organizationId) >= limits.perOrganization) return 'organization';
      if (proven.size >= limits.proven) return 'process';
      leaveUnproven(holder);
      proven.set(holder, { user, organization: organizationId });
      ofUser.add(user, 1);
      ofOrganization.add(organizationId, 1);
      return undefined;
    },
    leave(holder) {
      leaveUnproven(holder);
      const owner = proven.get(holder);
      if (!owner) return;
      proven.delete(holder);
      ofUser.add(owner.user, -1);
      ofOrganization.add(owner.organization, -1);
    },
  };
}
