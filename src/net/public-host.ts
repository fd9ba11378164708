import { BlockList, isIP } from 'node:net';

/** Addresses that no router of the Internet forwards. https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry */
const notPublic = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  notPublic.addSubnet(network, prefix, 'ipv6');

/** Names that are never looked up outside (RFC 6762, RFC 8375, ICANN's .internal, Kubernetes' services). */
const privateName = /\.(?:internal|local|localhost|lan|home\.arpa|svc)$/;

/**
 * Whether traffic to a host may leave the operator's own network: a public address, or a name with a dot that is not
 * of a private zone. Host names of one label, such as a container's, and Unix sockets stay within.
 * @param host name or address as a URL has it; IPv6 with or without brackets
 */
export function isPublicHost(host: string): boolean {
  const name = plain(host);
  if (name === '' || name.includes('/')) return false;
  const version = isIP(name);
  if (version !== 0) return !notPublic.check(name, version === 4 ? 'ipv4' : 'ipv6');
  // inet_aton takes 134744072 and 0x8.0x8.2056 for addresses too.
  if (/(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name)) return true;
  return name.includes('.') && !privateName.test(name);
}

/** Whether the host is this machine itself: loopback or a Unix socket. */
export function isLoopback(host: string): boolean {
  const name = plain(host);
  return (
    name === '' ||
    name.includes('/') ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}

const plain = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$|\.$/, '');
