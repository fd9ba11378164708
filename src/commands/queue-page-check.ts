import { StartupError } from '../errors.js';
import { NotCheckedError } from './checks.js';
import { unreachable } from './unreachable.js';

/** Longest time of one request, milliseconds. */
const requestMs = 10_000;

interface Addresses {
  readonly url: string;
  readonly healthUrl?: string;
}

/** The answer of an address to a caller without a login. */
type Answer = 'asks for a login' | 'is off' | 'is not here';

/**
 * Checks that the queue page shows nothing to a caller who has not signed in. It may be hidden from callers.
 * @param addresses the address of callers, and one inside where there is one
 */
export async function checkQueuePage({ url, healthUrl }: Addresses): Promise<string> {
  const answers: [string, Answer][] = [['', await ask(url)]];
  if (healthUrl !== undefined) answers.push([' inside', await ask(healthUrl)]);
  const shown = answers.find(([, answer]) => answer === 'asks for a login');
  if (shown) {
    const isHidden = shown[0] !== '';
    return `it asks for a login${shown[0]}${isHidden ? ', and is not published at this address' : ''}`;
  }
  if (answers.some(([, answer]) => answer === 'is off'))
    throw new NotCheckedError('QUEUE_PAGE_ORGANIZATION is not set there, so it is off');
  throw new NotCheckedError(
    'it is not published at this address: whether it is on is seen at an address of the API inside (--health-url)',
  );
}

/** @throws StartupError when it shows the queues, or fails */
async function ask(url: string): Promise<Answer> {
  const page = new URL('/queues/api/queues', url);
  const response = await fetch(page, { redirect: 'manual', signal: AbortSignal.timeout(requestMs) }).catch(
    (error: unknown) => {
      throw unreachable(page, error);
    },
  );
  const text = await response.text();
  if (response.status === 401) return 'asks for a login';
  if (response.ok || text.includes('scoring-'))
    throw new StartupError('it answers without a login: take it off the network');
  if (response.status !== 404) throw new StartupError(`status ${response.status}: look into the log of the API`);
  return isOfApi(response) ? 'is off' : 'is not here';
}

/** Tells whether the API itself answers, and neither a proxy nor the port of metrics. */
const isOfApi = ({ headers }: Response): boolean =>
  headers.has('x-request-id') && headers.get('content-security-policy')?.includes("default-src 'none'") === true;
