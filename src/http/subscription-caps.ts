import type { SocketLimits } from '../config/config.js';
import { RateLimitedError, ServiceUnavailableError } from '../errors.js';

/** A socket of a caller without a token is of no use: nothing is served on it. It may live this long, milliseconds. */
export const anonymousSocketMs = 5_000;
/** A socket must say who it is within this time, or is closed with 4408, milliseconds. */
export const connectionInitMs = 3_000;
/** Subscriptions end when their jobs do, so that there may be room again soon. */
const retryAfterSeconds = 10;

/** Counts the subscriptions that are open in this process. */
export interface SubscriptionCaps {
  /**
   * @param socket whatever stands for the socket
   * @param user whatever names the caller
   * @param operation whatever stands for this one subscription
   * @throws RateLimitedError when the socket or the user has too many open, ServiceUnavailableError when the process has
   */
  begin(socket: object, user: string, operation: object): void;
  /** More than once does no harm. */
  close(operation: object): void;
  /** Closes all that the socket has open. */
  closeAll(socket: object): void;
}

export function createSubscriptionCaps(limits: SocketLimits): SubscriptionCaps {
  const ofSocket = new WeakMap<object, Set<object>>();
  const holders = new WeakMap<object, { readonly socket: object; readonly user: string }>();
  const ofUser = new Map<string, number>();
  let ofNode = 0;

  function close(operation: object): void {
    const holder = holders.get(operation);
    if (!holder) return;
    holders.delete(operation);
    ofSocket.get(holder.socket)?.delete(operation);
    ofNode -= 1;
    const left = ofUser.get(holder.user)! - 1;
    if (left > 0) ofUser.set(holder.user, left);
    else ofUser.delete(holder.user);
  }

  return {
    begin(socket, user, operation) {
      const ofThisSocket = ofSocket.get(socket) ?? new Set();
      const countOfUser = ofUser.get(user) ?? 0;
      if (ofThisSocket.size >= limits.perSocket) {
        throw new RateLimitedError(
          `This socket has ${ofThisSocket.size} subscriptions open, which is the limit: complete some, or open another socket.`,
          retryAfterSeconds,
        );
      }
      if (countOfUser >= limits.perUser) {
        throw new RateLimitedError(
          `This user has ${countOfUser} subscriptions open on this server, which is the limit: complete some.`,
          retryAfterSeconds,
        );
      }
      if (ofNode >= limits.perNode)
        throw new ServiceUnavailableError(
          'This server has as many subscriptions open as it serves: connect again, to another one, in a moment.',
        );
      ofSocket.set(socket, ofThisSocket.add(operation));
      holders.set(operation, { socket, user });
      ofUser.set(user, countOfUser + 1);
      ofNode += 1;
    },
    close,
    closeAll(socket) {
      ofSocket.get(socket)?.forEach(close);
    },
  };
}
