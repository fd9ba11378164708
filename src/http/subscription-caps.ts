import type { DocumentNode } from 'graphql';
import type { SocketLimits } from '../config/config.js';
import { RateLimitedError, ServiceUnavailableError } from '../errors.js';
import { createCounts } from './counts.js';
import { createHeldDocuments } from './held-documents.js';

/** Longest life of a socket whose caller has no token, milliseconds. Nothing is served on it. */
export const anonymousSocketMs = 5_000;
/** Time within which a client must send connection_init, milliseconds. Else its socket is closed with 4408. */
export const connectionInitMs = 3_000;
/** Time after which a refused client may try again. Subscriptions end with their jobs, so there may soon be room. */
const retryAfterSeconds = 10;

/**
 * Most characters of the documents that the subscriptions of a user, of an organization and of the process keep. With
 * its syntax tree, a document takes up to about 150 times the memory of its text. Subscriptions with the same text share
 * it: clients pass ids as variables.
 */
const mostCharacters = { perUser: 256 * 1024, perOrganization: 1024 * 1024, perNode: 2 * 1024 * 1024 } as const;

/** Counts the running subscriptions of this process. */
export interface SubscriptionCaps {
  /**
   * Takes a place for one subscription.
   * @param socket any object that identifies the socket
   * @param caller texts that name the caller and its organization
   * @param operation any object that identifies this one subscription
   * @throws RateLimitedError when the socket, the user or the organization has too many, ServiceUnavailableError when
   *   the process has
   */
  begin(socket: object, caller: SubscribingCaller, operation: object): void;
  /**
   * Counts the document of a subscription that has a place, until that is given back.
   * @throws RateLimitedError when the user or the organization keeps too many, ServiceUnavailableError when the process
   *   does
   */
  keep(operation: object, document: DocumentNode): void;
  /** Gives the place of a subscription back. A second call does no harm. */
  close(operation: object): void;
  /** Gives back the places of all subscriptions of a socket. */
  closeAll(socket: object): void;
}

interface Holder {
  readonly socket: object;
  readonly caller: SubscribingCaller;
  /** Takes the document out of the counts. */
  drop?: () => void;
}

interface SubscribingCaller {
  readonly organization: string;
  readonly user: string;
}

export function createSubscriptionCaps(limits: SocketLimits): SubscriptionCaps {
  const ofSocket = new WeakMap<object, Set<object>>();
  const holders = new WeakMap<object, Holder>();
  const documents = {
    ofUser: createHeldDocuments(mostCharacters.perUser),
    ofOrganization: createHeldDocuments(mostCharacters.perOrganization),
    ofNode: createHeldDocuments(mostCharacters.perNode),
  };
  const ofUser = createCounts();
  const ofOrganization = createCounts();
  let ofNode = 0;

  function close(operation: object): void {
    const holder = holders.get(operation);
    if (!holder) return;
    holders.delete(operation);
    holder.drop?.();
    ofSocket.get(holder.socket)?.delete(operation);
    ofNode -= 1;
    ofUser.add(holder.caller.user, -1);
    ofOrganization.add(holder.caller.organization, -1);
  }

  return {
    begin(socket, caller, operation) {
      const ofThisSocket = ofSocket.get(socket) ?? new Set();
      const countOfUser = ofUser.of(caller.user);
      const countOfOrganization = ofOrganization.of(caller.organization);
      if (ofThisSocket.size >= limits.perSocket) {
        throw new RateLimitedError(
          `This socket has ${ofThisSocket.size} subscriptions, which is the limit: complete some, or open another ` +
            'socket.',
          retryAfterSeconds,
        );
      }
      if (countOfUser >= limits.perUser) {
        throw new RateLimitedError(
          `This user has ${countOfUser} subscriptions on this server, which is the limit: complete some.`,
          retryAfterSeconds,
        );
      }
      if (countOfOrganization >= limits.perOrganization) {
        throw new RateLimitedError(
          `This organization has ${countOfOrganization} subscriptions on this server, which is the limit: complete ` +
            'some, or connect to another server if there is one.',
          retryAfterSeconds,
        );
      }
      if (ofNode >= limits.perNode)
        throw new ServiceUnavailableError(
          'This server has reached its limit of subscriptions: connect again in a moment, to another server if there ' +
            'is one.',
        );
      ofSocket.set(socket, ofThisSocket.add(operation));
      holders.set(operation, { socket, caller });
      ofUser.add(caller.user, 1);
      ofOrganization.add(caller.organization, 1);
      ofNode += 1;
    },
    keep(operation, document) {
      const holder = holders.get(operation);
      if (!holder) return;
      const { user, organization } = holder.caller;
      const places = [
        [documents.ofUser, user, 'user'],
        [documents.ofOrganization, organization, 'organization'],
        [documents.ofNode, '', 'process'],
      ] as const;
      const full = places.find(([held, name]) => !held.hasRoom(name, document))?.[2];
      if (full === 'process')
        throw new ServiceUnavailableError(
          'This server keeps too many different documents of subscriptions: try again in a moment, on another server if ' +
            'there is one.',
        );
      if (full !== undefined)
        throw new RateLimitedError(
          `The subscriptions of this ${full} on this server have too many different documents: send the same text, and ` +
            'pass ids as variables.',
          retryAfterSeconds,
        );
      for (const [held, name] of places) held.add(name, document);
      holder.drop = () => {
        for (const [held, name] of places) held.remove(name, document);
      };
    },
    close,
    closeAll(socket) {
      ofSocket.get(socket)?.forEach(close);
    },
  };
}
