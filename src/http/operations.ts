import { qualifiedUsername, type RequestOrigin, type Viewer } from '../auth/viewer.js';
import type { OperationLimits } from '../config/config.js';
import { QueryTooComplexError, RateLimitedError, type RiskGraphError } from '../errors.js';
import { createAnswerBytes, type AnswerBytes } from './answer-bytes.js';
import { createFairTurns, type OperationKind } from './fair-turns.js';

/** The limits of operations while the limits of queries are off. */
export const unlimitedOperations: OperationLimits = {
  perUser: Infinity,
  costPerUser: Infinity,
  answerBytes: Infinity,
  eventBytes: Infinity,
  waitingPerUser: Infinity,
  waitingPerNode: Infinity,
};

/** Time after which a refused caller may try again, seconds. */
const retryAfterSeconds = 1;

/** One operation, or one event of a subscription, from its first field to its answer. */
export interface Operation {
  /**
   * Asks whether a field may be resolved now. A long operation gives way to others.
   * @returns undefined when it may, else a promise that resolves at its turn
   * @throws the error with which the operation was broken off
   */
  turn(): Promise<void> | undefined;
  /** @throws the error with which the operation was broken off */
  check(): void;
  /**
   * Counts bytes of values that were made for the answer.
   * @throws QueryTooComplexError when the answer is too large, which breaks the operation off
   */
  made(bytes: number): void;
  /** Counts `bytes` more of the answer's text, in addition to the values. @throws as `made` */
  wrote(bytes: number): void;
  /** Stops the operation: fields that have not begun are not resolved. The first reason counts. */
  breakOff(reason: RiskGraphError): void;
  /** The error with which it was broken off. */
  readonly reason: RiskGraphError | undefined;
  /** Counts the operation as under way. @throws RateLimitedError when its user has too many */
  start(cost: number): void;
  /** Does the same as `start`, but waits until there is room. @throws the error with which it was broken off */
  startWhenFree(cost: number): Promise<void>;
  /** Cost that it was started with, 0 before. */
  readonly cost: number;
  /** Ends the count. A second call does no harm. */
  end(): void;
}

/** The sender of an operation. */
interface Caller {
  readonly viewer: Pick<Viewer, 'organizationId' | 'username'> | null;
  readonly origin: Pick<RequestOrigin, 'address'>;
}

/** The operations of this process. */
export interface Operations {
  /** Prepares an operation. It counts from its start. */
  prepare(caller: Caller, kind: OperationKind): Operation;
  readonly bytes: AnswerBytes;
}

/** Operations under way of one user. */
interface UnderWay {
  count: number;
  cost: number;
  /** Events that wait until there is room, in their order. */
  readonly waiting: (() => void)[];
}

/** Names the caller within this process: users by organization, callers without a credential by address. */
export const callerName = ({ viewer, origin }: Caller): { readonly organization: string; readonly user: string } =>
  viewer
    ? { organization: viewer.organizationId, user: qualifiedUsername(viewer) }
    : { organization: '', user: `address ${origin.address}` };

export function createOperations(limits: OperationLimits): Operations {
  const turns = createFairTurns();
  const bytes = createAnswerBytes(limits);
  const ofUser = new Map<string, UnderWay>();

  function prepare(caller: Caller, kind: OperationKind): Operation {
    const { organization, user } = callerName(caller);
    const member = { kind, organization, user };
    const largest = kind === 'answer' ? limits.answerBytes : limits.eventBytes;
    const giveBack: (() => void)[] = [];
    let counted: UnderWay | undefined;
    let ended = false;
    let values = 0;
    let text = 0;

    const check = (): void => {
      if (operation.reason) throw operation.reason;
    };
    const count = (more: number, sum: number): void => {
      check();
      if (sum > largest) throw breakOff(tooLarge(kind, largest));
      if (ended) return;
      try {
        giveBack.push(bytes.make(more));
      } catch (error) {
        throw breakOff(error as RiskGraphError);
      }
    };
    const breakOff = (because: RiskGraphError): RiskGraphError => (operation.reason ??= because);
    const enter = (underWay: UnderWay): void => {
      counted = underWay;
      underWay.count += 1;
      underWay.cost += operation.cost;
    };
    const underWayOf = (): UnderWay => {
      const underWay = ofUser.get(user) ?? { count: 0, cost: 0, waiting: [] };
      ofUser.set(user, underWay);
      return underWay;
    };
    // One operation always fits, so that a limit below its cost does not keep it out.
    const hasRoom = (underWay: UnderWay): boolean =>
      underWay.count === 0 || (underWay.count < limits.perUser && underWay.cost + operation.cost <= limits.costPerUser);

    const operation: { -readonly [K in keyof Operation]: Operation[K] } = {
      turn() {
        check();
        return turns.wait(member)?.then(check);
      },
      check,
      made: (more) => count(more, (values += more)),
      wrote: (more) => count(more, (text += more)),
      breakOff,
      reason: undefined,
      cost: 0,
      start(started) {
        operation.cost = started;
        const underWay = ofUser.get(user);
        if (underWay && !hasRoom(underWay)) throw tooMany(underWay, limits);
        enter(underWayOf());
      },
      async startWhenFree(started) {
        operation.cost = started;
        for (let underWay = underWayOf(); !hasRoom(underWay); underWay = underWayOf())
          await new Promise<void>((resolve) => underWay.waiting.push(resolve));
        enter(underWayOf());
        check();
      },
      end() {
        ended = true;
        giveBack.splice(0).forEach((give) => give());
        if (!counted) return;
        const underWay = counted;
        counted = undefined;
        underWay.count -= 1;
        underWay.cost -= operation.cost;
        // All look again, because a cheaper one may fit where the first does not.
        underWay.waiting.splice(0).forEach((resume) => resume());
        if (underWay.count === 0) ofUser.delete(user);
      },
    };
    return operation;
  }
  return { prepare, bytes };
}

const tooLarge = (kind: OperationKind, largest: number): QueryTooComplexError =>
  new QueryTooComplexError(
    kind === 'answer'
      ? `The answer has more than ${largest} bytes, which is the limit: lower "first", or ask for fewer fields.`
      : `One event has more than ${largest} bytes, which is the limit: subscribe to fewer fields, and read lists with a ` +
          'query.',
  );

function tooMany({ count, cost }: UnderWay, { perUser, costPerUser }: OperationLimits): RateLimitedError {
  return new RateLimitedError(
    count >= perUser
      ? `This user has ${count} operations under way on this server, which is the limit: send fewer at a time.`
      : `The operations of this user that are under way on this server cost ${cost}, and the limit is ${costPerUser}: ` +
          'send fewer at a time, or ask for less in each.',
    retryAfterSeconds,
  );
}
