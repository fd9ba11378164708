import ipaddr from 'ipaddr.js';

/**
 * Ranges of ipaddr.js that no router of the Internet forwards.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry
 */
const localRanges = new Set(['unspecified', 'loopback', 'private', 'carrierGradeNat', 'linkLocal', 'uniqueLocal']);

/**
 * Names that are only looked up within a private network (RFC 6762, RFC 8375, ICANN's .internal, Kubernetes' services).
 */
const privateName = /\.(?:internal|local|localhost|lan|home\.arpa|svc)$/;

/**
 * Tells whether traffic to a host may leave the operator's own network. It may for a public address, and for a name
 * with a dot outside the private zones. It does not for host names of one label, such as a container's, or for Unix
 * sockets.
 * @param host name or address as a URL has it; IPv6 with or without brackets
 */
export function isPublicHost(host: string): boolean {
  const name = plain(host);
  if (isSocket(name)) return false;
  const range = rangeOf(name);
  if (range !== undefined) return !localRanges.has(range);
  // inet_aton also accepts 134744072 and 0x8.0x8.2056 as addresses.
  if (/(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name)) return true;
  return name.includes('.') && !privateName.test(name);
}

/** Tells whether the host is this machine itself: loopback or a Unix socket. */
export function isLoopback(host: string): boolean {
  const name = plain(host);
  return isSocket(name) || name === 'localhost' || name.endsWith('.localhost') || rangeOf(name) === 'loopback';
}

const isSocket = (name: string): boolean => name === '' || name.includes('/');

/** The special range of an address. Undefined for a text that is no address; IPv4 must have four decimal parts. */
function rangeOf(name: string): string | undefined {
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(name) || ipaddr.IPv6.isValid(name);
  return isAddress ? ipaddr.process(name).range() : undefined;
}

const plain = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$|\.+$/, '');
