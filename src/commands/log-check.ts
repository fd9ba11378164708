import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { notChecked, type Check } from './checks.js';
import { unreachable } from './unreachable.js';

/** Longest time in which a line comes into the file, milliseconds. */
const patienceMs = 5_000;
/** Longest time of the request, milliseconds. */
const answerMs = 10_000;
/** Bytes at the end of a log file that are searched. */
const tailBytes = 4 * 1024 * 1024;

const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';

/**
 * Checks that the log is written: a login to an organization that does not exist is refused, and LOG_FILE must have the
 * line with the id of that request.
 */
export function logCheck(url: string, { logFile, logLevel }: Pick<Config, 'logFile' | 'logLevel'>): Check {
  const name = 'logs are written';
  if (logFile === undefined)
    return notChecked(name, 'LOG_FILE is not set here, so the log is in the hands of the supervisor: look into it');
  if (['error', 'fatal', 'silent'].includes(logLevel))
    return notChecked(name, `LOG_LEVEL=${logLevel} writes no line for a refused login`);
  return {
    name,
    async run() {
      const id = await refusedLogin(url);
      const end = Date.now() + patienceMs;
      while (Date.now() < end) {
        if ((await tailOf(logFile)).includes(`"${id}"`)) return `${logFile} has the line of request ${id}`;
        await delay(100);
      }
      throw new StartupError(
        `${logFile} has no line of request ${id}: run this on the machine of the API, and check that its LOG_FILE is this one`,
      );
    },
  };
}

/** @returns the id of the request */
async function refusedLogin(url: string): Promise<string> {
  const credential = { organization: 'no-such-organization', username: 'verify', password: 'none' };
  const address = new URL('/graphql', url);
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: login, variables: { input: credential } }),
    signal: AbortSignal.timeout(answerMs),
  }).catch((error: unknown) => {
    throw unreachable(address, error);
  });
  await response.text();
  const id = response.headers.get('x-request-id');
  if (id === null) throw new StartupError('the answer has no X-Request-ID, so it is not from the API: check --url');
  return id;
}

async function tailOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, tailBytes);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
