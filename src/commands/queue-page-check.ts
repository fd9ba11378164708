import { StartupError } from '../errors.js';
import { NotCheckedError } from './checks.js';

/** Longest time of the request, milliseconds. */
const requestMs = 10_000;

/** Checks that the queue page answers, and that it shows nothing to a caller who has not signed in. */
export async function checkQueuePage(url: string): Promise<string> {
  const response = await fetch(new URL('/queues/api/queues', url), {
    redirect: 'manual',
    signal: AbortSignal.timeout(requestMs),
  });
  const text = await response.text();
  if (response.status === 404) throw new NotCheckedError('QUEUE_PAGE_ORGANIZATION is not set there, so it is off');
  if (response.status === 401) return 'it asks for a login';
  if (response.ok || text.includes('scoring-'))
    throw new StartupError('it answers without a login: take it off the network');
  throw new StartupError(`status ${response.status}: look into the log of the API`);
}
