import type { OperationLimits } from '../config/config.js';
import { ServiceUnavailableError } from '../errors.js';

/** Longest time that a client may take to read an answer, milliseconds. */
const longestReadMs = 60_000;

/** The bytes of all answers of this process that are made, or wait until their clients read them. */
export interface AnswerBytes {
  /**
   * Counts bytes of an answer that is being made.
   * @returns a function that gives them back
   * @throws ServiceUnavailableError when all answers together are too large
   */
  make(bytes: number): () => void;
  /**
   * Counts an answer until its client has read it. When too much waits for a user, or in total, the answers that have
   * waited longest are cut off, first those of the user with most bytes. A client that takes a minute is cut off too.
   * @param cut ends the connection
   * @returns a function that ends the count
   */
  wait(user: string, bytes: number, cut: () => void): () => void;
}

interface Waiting {
  readonly bytes: number;
  readonly cut: () => void;
  readonly timer: NodeJS.Timeout;
}

export function createAnswerBytes({
  waitingPerUser,
  waitingPerNode,
}: Pick<OperationLimits, 'waitingPerUser' | 'waitingPerNode'>): AnswerBytes {
  const ofUser = new Map<string, { bytes: number; readonly answers: Set<Waiting> }>();
  let total = 0;

  function end(user: string, answer: Waiting): void {
    const held = ofUser.get(user);
    if (!held?.answers.delete(answer)) return;
    clearTimeout(answer.timer);
    held.bytes -= answer.bytes;
    total -= answer.bytes;
    if (held.answers.size === 0) ofUser.delete(user);
  }
  function cutOldest(user: string): void {
    const [oldest] = ofUser.get(user)!.answers;
    end(user, oldest!);
    oldest!.cut();
  }
  function userWithMost(): string | undefined {
    let most: string | undefined;
    for (const [user, { bytes }] of ofUser) if (most === undefined || bytes > ofUser.get(most)!.bytes) most = user;
    return most;
  }

  return {
    make(bytes) {
      if (total + bytes > waitingPerNode)
        throw new ServiceUnavailableError(
          `The answers of this server would have more than ${waitingPerNode} bytes together, which is the limit: ask ` +
            'for less at once, or try again in a moment.',
        );
      total += bytes;
      return () => (total -= bytes);
    },
    wait(user, bytes, cut) {
      const timer = setTimeout(() => {
        end(user, answer);
        cut();
      }, longestReadMs);
      timer.unref();
      const answer: Waiting = { bytes, cut, timer };
      const held = ofUser.get(user) ?? { bytes: 0, answers: new Set() };
      ofUser.set(user, held);
      held.answers.add(answer);
      held.bytes += bytes;
      total += bytes;
      while ((ofUser.get(user)?.bytes ?? 0) > waitingPerUser) cutOldest(user);
      while (total > waitingPerNode) {
        const most = userWithMost();
        if (most === undefined) break;
        cutOldest(most);
      }
      return () => end(user, answer);
    },
  };
}
