/*
 * Sends one request to an address that a caller has chosen, without reaching what the caller must not reach:
 *
 * 1. An address in the URL is checked before anything is opened.
 * 2. A name is looked up by our own `lookup`, with questions that keep no thread busy (src/net/public-lookup.ts). Only the
 *    hosts of the operator's own network are looked up as the system does it. The socket connects to exactly the
 *    addresses that were checked, so a second look-up with another answer (DNS rebinding) does not happen.
 * 3. The address to which the socket is connected is checked once more.
 * 4. A redirect is an answer like any other, and is not followed.
 * 5. The whole exchange has one time limit. Of the answer, its status counts; some of its body is read and dropped.
 */
import { lookup as systemLookup } from 'node:dns';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { WebhookFailure } from '../../models/index.js';
import { createPublicLookup, type LookupAll } from '../net/public-lookup.js';
import { mayReach } from '../net/webhook-address.js';
import { hostOf } from './webhook-url.js';

/** Bytes of an answer's body that are read before the connection is ended. */
const mostAnswerBytes = 16_384;
/** Bytes that the head of an answer may have. */
const mostHeaderBytes = 16_384;

/** A request to an endpoint. */
interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The outcome of one attempt. It was successful when there is no failure. */
export interface WebhookOutcome {
  readonly status?: number;
  readonly failure?: WebhookFailure;
  /** Seconds of the header Retry-After. */
  readonly retryAfterSeconds?: number;
}

interface SenderOptions {
  readonly timeoutMs: number;
  /** Hosts that may have a private address. */
  readonly allowedHosts: readonly string[];
  /** @defaultValue that of the system for hosts of `allowedHosts`, that of src/net/public-lookup.ts for others */
  readonly lookup?: LookupAll;
}

export type SendWebhook = (request: WebhookRequest) => Promise<WebhookOutcome>;

class AddressRefusedError extends Error {}

/** Makes a sender. It never throws: each failure is an outcome. */
export function createWebhookSender({ timeoutMs, allowedHosts, lookup }: SenderOptions): SendWebhook {
  const publicLookup = createPublicLookup();
  return async ({ url: text, headers, body }) => {
    try {
      const url = new URL(text);
      const host = hostOf(url);
      const allowed = allowedHosts.includes(host);
      if (isIP(host) !== 0 && !mayReach(host, allowed)) throw new AddressRefusedError();
      const answer = await exchange(url, {
        headers,
        body,
        timeoutMs,
        allowed,
        lookup: checked(lookup ?? (allowed ? systemLookup : publicLookup), allowed),
      });
      const status = answer.statusCode!;
      if (status >= 200 && status < 300) return { status };
      const retryAfter = answer.headers['retry-after'] ?? '';
      return {
        status,
        failure: WebhookFailure.STATUS,
        ...(/^\d{1,6}$/.test(retryAfter) && { retryAfterSeconds: Number(retryAfter) }),
      };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  };
}

/** A look-up that refuses a name as soon as one of its addresses must not be reached. */
const checked =
  (lookup: LookupAll, allowed: boolean): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return done(error ?? new AddressRefusedError(), []);
      if (!addresses.every(({ address }) => mayReach(address, allowed))) return done(new AddressRefusedError(), []);
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

interface Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly allowed: boolean;
  readonly lookup: LookupFunction;
}

/** Sends the request. @returns the answer, after its body was read or dropped */
function exchange(url: URL, { headers, body, timeoutMs, allowed, lookup }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      // A connection per request, so that each address is checked.
      agent: false,
      lookup,
      maxHeaderSize: mostHeaderBytes,
      signal: AbortSignal.timeout(timeoutMs),
    });
    request.on('error', reject);
    request.on('socket', (socket: Socket) =>
      socket.once('connect', () => {
        if (!mayReach(socket.remoteAddress ?? '', allowed)) socket.destroy(new AddressRefusedError());
      }),
    );
    request.on('response', (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostAnswerBytes) answer.destroy();
      });
      // The status has arrived, so a body that breaks off or never ends changes nothing.
      answer.on('error', () => undefined);
      answer.on('close', () => resolve(answer));
    });
    request.end(body);
  });
}

function failureOf(error: unknown): WebhookFailure {
  if (error instanceof AddressRefusedError) return WebhookFailure.REFUSED_ADDRESS;
  const { name, code, syscall, errors } = error as Record<'name' | 'code' | 'syscall', unknown> & {
    errors?: unknown[];
  };
  if (errors?.[0] !== undefined) return failureOf(errors[0]);
  const text = String(code ?? '');
  if (name === 'TimeoutError' || name === 'AbortError') return WebhookFailure.TIMEOUT;
  // The system looks up by getaddrinfo, and our own questions are queryA and queryAaaa.
  if (/^(?:getaddrinfo|query)/.test(String(syscall ?? ''))) return WebhookFailure.DNS;
  if (/^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME)/.test(text))
    return WebhookFailure.TLS;
  return WebhookFailure.CONNECTION;
}
