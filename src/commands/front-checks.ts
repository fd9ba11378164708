import { get as getPlain, type IncomingHttpHeaders } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { StartupError } from '../errors.js';
import { isLoopback } from '../net/public-host.js';
import { NotCheckedError, notChecked, WarningError, type Check } from './checks.js';
import { unreachable } from './unreachable.js';

/** Longest time of one request, milliseconds. */
const requestMs = 10_000;
/** Days before its end from which a certificate should be replaced, as docs/maintenance.md says. */
const renewalDays = 30;
/** Days before its end from which a certificate must be replaced. */
const leastDays = 14;
/** Least time for which browsers must demand TLS, seconds: half a year. */
const leastHstsSeconds = 15_552_000;

/** An answer of the front door. */
interface Front {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Version of TLS, and the end of the certificate. Undefined without TLS. */
  readonly tls: { readonly protocol: string; readonly validTo: Date } | undefined;
}

/** Tries the front door once. @returns why it cannot be reached; undefined when it answers */
export const frontFailure = (url: string): Promise<Error | undefined> =>
  ask(new URL('/graphql', url)).then(
    () => undefined,
    (error: Error) => error,
  );

/** Checks TLS and headers as a caller from outside meets them. */
export function frontChecks(url: string): Check[] {
  const front = new URL('/graphql', url);
  const headers: Check = { name: 'headers for browsers', run: async () => checkHeaders(await ask(front)) };
  if (front.protocol !== 'https:') {
    const why = isLoopback(front.hostname)
      ? 'this address is of this machine alone: give --url as callers reach it'
      : 'the address has no TLS: give --url with https, as callers reach it';
    return [notChecked('TLS', why), headers];
  }
  return [
    { name: 'TLS', run: async () => judgeTls((await ask(front)).tls!) },
    { name: 'plain HTTP leads to TLS', run: () => checkPlain(front) },
    headers,
  ];
}

/**
 * Judges a connection of TLS, whose certificate is trusted.
 * @throws StartupError for an old version and a certificate that is about to end; WarningError where it should be renewed
 */
export function judgeTls({ protocol, validTo }: NonNullable<Front['tls']>): string {
  if (!['TLSv1.2', 'TLSv1.3'].includes(protocol)) throw new StartupError(`${protocol} is too old: allow 1.2 and 1.3`);
  const days = Math.floor((validTo.getTime() - Date.now()) / 86_400_000);
  if (days < leastDays) throw new StartupError(`the certificate ends in ${days} days: renew it`);
  if (days < renewalDays)
    throw new WarningError(
      `${protocol}, the certificate is trusted and ends in ${days} days: renew it, ${leastDays} days before its end at the latest`,
    );
  return `${protocol}, the certificate is trusted and valid for ${days} days`;
}

async function checkPlain({ hostname }: URL): Promise<string> {
  const { status, headers } = await ask(new URL(`http://${hostname}/graphql`)).catch(() => {
    throw new NotCheckedError('port 80 does not answer');
  });
  const leads = status >= 300 && status < 400 && headers.location?.startsWith('https://');
  if (!leads && status < 400) throw new StartupError(`status ${status}: let the proxy redirect port 80 to https`);
  return leads ? `status ${status} to ${new URL(headers.location!).origin}` : `refused with status ${status}`;
}

function checkHeaders({ headers, tls }: Front): string {
  const policy = String(headers['content-security-policy'] ?? '');
  const seconds = Number(/max-age=(\d+)/.exec(String(headers['strict-transport-security']))?.[1] ?? 0);
  const issues = [
    !policy.includes("frame-ancestors 'none'") && 'no Content-Security-Policy that forbids frames',
    headers['x-content-type-options'] !== 'nosniff' && 'no X-Content-Type-Options: nosniff',
    headers['x-powered-by'] !== undefined && 'X-Powered-By tells of the software',
    tls &&
      seconds < leastHstsSeconds &&
      'no Strict-Transport-Security: name the proxy in TRUST_PROXY, and let it send X-Forwarded-Proto',
    headers['x-request-id'] === undefined && 'no X-Request-ID: the answer is not from the API',
  ].filter((issue) => typeof issue === 'string');
  if (issues.length > 0) throw new StartupError(`${issues.join('; ')}: check that the proxy passes headers on`);
  return tls ? 'as the API sends them, and TLS is demanded' : 'as the API sends them';
}

/** Asks with an empty query, which is refused. */
function ask(url: URL): Promise<Front> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { timeout: requestMs, agent: false, headers: { accept: 'application/json' } };
    const request = (url.protocol === 'https:' ? get : getPlain)(url, options, (response) => {
      const socket = response.socket as TLSSocket;
      const validTo = url.protocol === 'https:' ? new Date(socket.getPeerCertificate().valid_to) : undefined;
      response.resume();
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        tls: validTo && { protocol: socket.getProtocol() ?? 'unknown', validTo },
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => reject(unreachable(url, error)));
  });
}
