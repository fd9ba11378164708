import { performance } from 'node:perf_hooks';

/**
 * Milliseconds that the fields of all operations together may run in one turn of the event loop. It is the time that a
 * small request may have to wait for each of its own turns.
 */
const sliceMs = 8;

/** Shares the event loop among the operations of one process, so that a long one cannot hold up the others. */
interface FairTurns {
  /**
   * Asks for a turn. The organizations that wait get their turns in rotation, and so do the users of each.
   * @returns undefined when the caller may go on now, else a promise that resolves at its turn
   */
  wait(organization: string, user: string): Promise<void> | undefined;
}

export function createFairTurns(): FairTurns {
  const rotation = new Rotation();
  let began: number | undefined;

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
    while (rotation.size > 0 && hasTime()) {
      rotation.take()!();
      // Lets the resumed operation run, so that its time counts.
      await Promise.resolve();
    }
  }

  return {
    wait(organization, user) {
      if (hasTime() && rotation.size === 0) return undefined;
      return new Promise((resolve) => rotation.add(organization, user, resolve));
    },
  };
}

type Resume = () => void;

/** The waiting operations. `take` gives organizations in rotation, users of one in rotation, and each user's in order. */
class Rotation {
  private readonly organizations = new Map<string, Map<string, Line>>();
  size = 0;

  add(organization: string, user: string, resume: Resume): void {
    const users = this.organizations.get(organization) ?? new Map<string, Line>();
    this.organizations.set(organization, users);
    const line = users.get(user) ?? { first: 0, resumes: [] };
    users.set(user, line);
    line.resumes.push(resume);
    this.size += 1;
  }

  take(): Resume | undefined {
    const [found] = this.organizations;
    if (!found) return undefined;
    const [organization, users] = found;
    const [[user, line]] = users as unknown as [[string, Line]];
    const resume = line.resumes[line.first]!;
    line.first += 1;
    this.size -= 1;
    // Entering a key again moves it to the end of a Map.
    users.delete(user);
    if (line.first < line.resumes.length) users.set(user, line);
    this.organizations.delete(organization);
    if (users.size > 0) this.organizations.set(organization, users);
    return resume;
  }
}

/** The waiting fields of one user. `first` is the next one; taking it off an array would move all others. */
interface Line {
  first: number;
  readonly resumes: Resume[];
}
