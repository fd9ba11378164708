import { z } from 'zod';
import { StartupError } from '../errors.js';
import { unreachable } from './unreachable.js';

/** Longest time that a page may take, milliseconds. */
const pageMs = 10_000;

/** The parts of a health answer that are shown. */
const reportSchema = z.object({
  status: z.enum(['up', 'down', 'draining']),
  dependencies: z.record(z.string(), z.string()).optional(),
  reasons: z.record(z.string(), z.string()).optional(),
});

interface Page {
  readonly status: number;
  readonly text: string;
  /** Undefined: the answer does not come from our health check. */
  readonly report: z.infer<typeof reportSchema> | undefined;
}

async function read(url: URL): Promise<Page> {
  const response = await fetch(url, { signal: AbortSignal.timeout(pageMs) }).catch((error: unknown) => {
    if ((error as Error).name === 'TimeoutError')
      throw new StartupError(`no answer within ${pageMs / 1_000} s: look into the log of the process there`);
    throw unreachable(url, error, 'check the address, and that the API runs');
  });
  const text = await response.text();
  return { status: response.status, text, report: reportOf(text) };
}

function reportOf(text: string): Page['report'] {
  try {
    return reportSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Statuses of a door that stays, although it does not work now. */
const isBroken = (status: number): boolean => status >= 500;

/**
 * Reads a health check.
 * @param publication whether the address may hide it from callers, as the documents ask
 * @returns the state of each dependency
 * @throws StartupError naming what is down, and why
 */
export async function readHealth(url: URL, publication: 'may be hidden' | 'must be there'): Promise<string> {
  const { status, report } = await read(url);
  if (report?.status === 'up') {
    const states = Object.entries(report.dependencies ?? {}).map(([name, state]) => `${name} ${state}`);
    return [`status ${status}`, ...states].join(', ');
  }
  if (report) {
    const down = Object.entries(report.dependencies ?? {}).filter(([, state]) => state !== 'up');
    const parts = down.map(([name, state]) => report.reasons?.[name] ?? `${name} is ${state}`);
    throw new StartupError([`status ${status}`, ...(parts.length > 0 ? parts : [`it is ${report.status}`])].join(': '));
  }
  if (isBroken(status)) throw new StartupError(`status ${status}, and not from the API: check the proxy before it`);
  if (publication === 'may be hidden')
    return `not published at this address (status ${status}): check it from inside with --health-url`;
  throw new StartupError(`status ${status}, and no health check: name an address of the API, or of its METRICS_PORT`);
}

/** Expects that callers do not reach a page of the operator. @throws StartupError when they do */
export async function expectUnpublished(url: URL): Promise<string> {
  const { status, text, report } = await read(url);
  if (report || /^# (?:HELP|TYPE) /m.test(text))
    throw new StartupError('every caller can read it: let the proxy refuse this path');
  return `status ${status}`;
}
