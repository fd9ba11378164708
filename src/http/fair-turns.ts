/*
 * Turns share the event loop among the operations of one process. Step by step:
 *
 *   1. In each turn of the event loop, fields may run for one slice. Nothing waits while a slice has room.
 *   2. A field that comes when the slice is over waits, and so do all that come while others wait.
 *   3. In the next turn of the event loop, the answers and the events that wait get the slice in rotation: one user of
 *      the answers, then one of the events. So a flood of events leaves half of the time to those who ask.
 *   4. Organizations rotate, and the users of each. A user whose turn it is runs for a while: the fields of one list
 *      then read their rows together, and a deep operation does not wait for all others at each of its levels.
 */
import { performance } from 'node:perf_hooks';

/**
 * Milliseconds that the fields of all operations together may run in one turn of the event loop. It is the time that a
 * small request may have to wait for each of its own turns.
 */
const sliceMs = 8;

/** Milliseconds for which one user may run before the next one. */
const turnMs = 1;

/**
 * Promise jobs after which a user without a waiting field gives the turn away. A resumed field needs some of them until
 * it comes to its next field.
 */
const idleJobs = 8;

/** An operation answers a request, or writes an event of a subscription. */
export type OperationKind = 'answer' | 'event';

/** The user that an operation belongs to, and its kind. */
interface Member {
  readonly kind: OperationKind;
  readonly organization: string;
  readonly user: string;
}

/** Shares the event loop among the operations of one process, so that a long one cannot hold up the others. */
interface FairTurns {
  /**
   * Asks for a turn.
   * @returns undefined when the caller may go on now, else a promise that resolves at its turn
   */
  wait(member: Member): Promise<void> | undefined;
}

export function createFairTurns(): FairTurns {
  const waiting = { answer: new Rotation(), event: new Rotation() };
  let began: number | undefined;
  /** The user whose turn it is. */
  let current: { readonly member: Member; readonly until: number } | undefined;
  let next: OperationKind = 'answer';

  /** The slice begins with the first field of a turn of the event loop. */
  function hasTime(): boolean {
    if (began === undefined) {
      began = performance.now();
      setImmediate(nextSlice);
      return true;
    }
    return performance.now() - began < sliceMs;
  }
  function nextSlice(): void {
    began = undefined;
    void resumeWaiting();
  }
  async function resumeWaiting(): Promise<void> {
    for (let member = nextMember(); member && hasTime(); member = nextMember()) await runFor(member);
    current = undefined;
  }

  /** Finds the user whose turn it is. Answers and events take turns. */
  function nextMember(): Member | undefined {
    const other = next === 'answer' ? 'event' : 'answer';
    return waiting[next].first() ?? waiting[other].first();
  }

  async function runFor(member: Member): Promise<void> {
    next = member.kind === 'answer' ? 'event' : 'answer';
    const rotation = waiting[member.kind];
    rotation.moveBehind(member);
    current = { member, until: performance.now() + turnMs };
    for (let idle = 0; idle < idleJobs && hasTime() && isCurrent(member);) {
      const resume = rotation.take(member);
      idle = resume ? 0 : idle + 1;
      resume?.();
      // Lets the resumed operation run, so that its time counts.
      await Promise.resolve();
    }
  }

  const isCurrent = ({ kind, organization, user }: Member): boolean =>
    current !== undefined &&
    current.member.kind === kind &&
    current.member.organization === organization &&
    current.member.user === user &&
    performance.now() < current.until;

  return {
    wait(member) {
      const isFree = waiting.answer.size + waiting.event.size === 0;
      if (hasTime() && (isFree || isCurrent(member))) return undefined;
      return new Promise((resolve) => waiting[member.kind].add(member, resolve));
    },
  };
}

type Resume = () => void;

/** The waiting operations of one kind. Organizations are in rotation, the users of each too, and each user's in order. */
class Rotation {
  private readonly organizations = new Map<string, Map<string, Line>>();
  size = 0;

  add(member: Member, resume: Resume): void {
    const { organization, user } = member;
    const users = this.organizations.get(organization) ?? new Map<string, Line>();
    this.organizations.set(organization, users);
    const line = users.get(user) ?? { member, first: 0, resumes: [] };
    users.set(user, line);
    line.resumes.push(resume);
    this.size += 1;
  }

  /** The user who has waited longest for a turn. */
  first(): Member | undefined {
    for (const users of this.organizations.values()) for (const { member } of users.values()) return member;
    return undefined;
  }

  /** Puts a user behind the others of its organization, and the organization behind the others. */
  moveBehind({ organization, user }: Member): void {
    const users = this.organizations.get(organization);
    const line = users?.get(user);
    if (!users || !line) return;
    // Entering a key again moves it to the end of a Map.
    users.delete(user);
    users.set(user, line);
    this.organizations.delete(organization);
    this.organizations.set(organization, users);
  }

  /** Takes the next operation of a user. */
  take({ organization, user }: Member): Resume | undefined {
    const users = this.organizations.get(organization);
    const line = users?.get(user);
    if (!users || !line) return undefined;
    const resume = line.resumes[line.first];
    line.first += 1;
    this.size -= 1;
    if (line.first === line.resumes.length) users.delete(user);
    if (users.size === 0) this.organizations.delete(organization);
    return resume;
  }
}

/** The waiting fields of one user. `first` is the next one; taking it off an array would move all others. */
interface Line {
  readonly member: Member;
  first: number;
  readonly resumes: Resume[];
}
