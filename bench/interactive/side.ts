/** What a client does again and again. Works of the same name are compared. */
export interface Work {
  readonly name: string;
  /** How it is done, when there are several ways. */
  readonly way?: string;
  /** Does it for so long. @returns the number of pieces, or the time that each took, in milliseconds */
  run(seconds: number): Promise<number | readonly number[]>;
}

/** Software that is measured. It runs only while its turn lasts. */
export interface Side {
  readonly name: string;
  start(): Promise<RunningSide>;
}

export interface RunningSide {
  /** Scores one patient. Absent in a side without jobs. */
  score?(): Promise<unknown>;
  readonly works: readonly Work[];
  stop(): Promise<void>;
}

/** The works' names. */
export const workNames = {
  idle: 'no work (a piece is a second)',
  jobs: 'single jobs, 64 in flight',
  latency: '10 jobs per second, submit to result',
  list: 'list of 50 patients with 13 features, 20 connections',
  patient: 'one patient, 32 connections',
  prediction: 'one prediction with its explanation, 32 connections',
} as const;

/** Number of jobs that are under way at the same time. */
export const inFlight = 64;

/** Does `one` again and again, `inFlight` at a time, until the time is over. @returns how often */
export async function repeat(one: (index: number) => Promise<void>, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) await one(next++);
    }),
  );
  return next;
}

/** Begins `one` ten times per second. @returns the milliseconds that each took */
export async function tenPerSecond(one: (index: number) => Promise<void>, seconds: number): Promise<number[]> {
  const timed = async (index: number): Promise<number> => {
    const start = performance.now();
    await one(index);
    return performance.now() - start;
  };
  const under: Promise<number>[] = [];
  for (let index = 0; index < seconds * 10; index += 1) {
    under.push(timed(index));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Promise.all(under);
}

/** Does nothing for so long. @returns the seconds */
export async function idle(seconds: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return seconds;
}
