import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { parseAddress, unknownAddress } from '../net/address-block.js';

/** The form of a request id. It goes into logs and the audit trail, so it holds no spaces and no text. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9._:=-]{7,127}$/;

/**
 * The header of a trace: version, trace id, parent id and flags. The trace id is taken.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
const traceForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** Ranges of the names that TRUST_PROXY accepts, as Fastify has them. */
const namedRanges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Number of addresses of which it is remembered whether they are proxies. The look-up in a list takes long. */
const mostRemembered = 10_000;

/** Tells where requests come from, as far as trusted proxies say it. */
export interface RequestSources {
  /**
   * The caller's address in its normal form. It is the address of the connection or, behind trusted proxies, the last
   * one that `X-Forwarded-For` names before them. A text that is no address gives `unknown`.
   */
  addressOf(request: IncomingMessage): string;
  /** The host that the caller asked for, with its port. Empty when the request names none. */
  hostOf(request: IncomingMessage): string;
  /**
   * The id of a request: that which a trusted proxy gave in `X-Request-ID` or as the trace id of `traceparent`, if it has
   * that form, else a new one.
   */
  requestIdOf(request: IncomingMessage): string;
  /** The span of a trusted proxy, as `traceparent`. Undefined without one. */
  traceparentOf(request: IncomingMessage): string | undefined;
  /** Tells whether a connection comes from a trusted proxy: it then carries the requests of many callers. */
  isFromProxy(request: Pick<IncomingMessage, 'socket'>): boolean;
}

/** @param trustedProxies addresses, ranges and names, as TRUST_PROXY has them */
export function createRequestSources(trustedProxies: readonly string[]): RequestSources {
  const trusted = blockListOf(trustedProxies);
  const remembered = new LRUCache<string, boolean>({ max: mostRemembered });
  function isTrusted(address: string | undefined): boolean {
    if (address === undefined || trustedProxies.length === 0) return false;
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const found = trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    remembered.set(address, found);
    return found;
  }
  const peerOf = ({ socket }: Pick<IncomingMessage, 'socket'>): string | undefined =>
    parseAddress(socket.remoteAddress ?? '');

  return {
    addressOf(request) {
      const peer = peerOf(request);
      const forwarded = request.headers['x-forwarded-for'];
      if (forwarded === undefined || !isTrusted(peer)) return peer ?? unknownAddress;
      const hops = String(forwarded).split(',').map(parseAddress);
      // The first hop is the claim of the caller itself, and each later one was added by the proxy that saw it.
      const untrusted = hops.findLastIndex((hop) => !isTrusted(hop));
      return hops[Math.max(untrusted, 0)] ?? unknownAddress;
    },
    hostOf(request) {
      const forwarded = request.headers['x-forwarded-host'];
      const named = forwarded !== undefined && isTrusted(peerOf(request)) ? String(forwarded) : undefined;
      return named?.split(',').at(-1)?.trim() ?? request.headers.host ?? '';
    },
    requestIdOf(request) {
      const { 'x-request-id': given, traceparent } = request.headers;
      if (!isTrusted(peerOf(request))) return randomUUID();
      if (typeof given === 'string' && idForm.test(given)) return given;
      return (typeof traceparent === 'string' && traceForm.exec(traceparent)?.[1]) || randomUUID();
    },
    traceparentOf(request) {
      const { traceparent } = request.headers;
      return typeof traceparent === 'string' && traceForm.test(traceparent) && isTrusted(peerOf(request))
        ? traceparent
        : undefined;
    },
    isFromProxy: (request) => isTrusted(peerOf(request)),
  };
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of entries.flatMap((entry) => namedRanges[entry] ?? [entry])) {
    const [network, bits] = range.split('/') as [string, string?];
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(bits), family);
  }
  return list;
}
