import { isIPv6 } from 'node:net';

/**
 * What counts as one address when attempts are counted: an IPv4 address, or the /64 of an IPv6 address, which is what one
 * subscriber is given (RFC 6177) and can change addresses within at will.
 */
export function addressBlock(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%')[0]!.split('::') as [string, string?];
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const missing = Math.max(8 - left.length - right.length, 0);
  const groups = [...left, ...new Array<string>(address.includes('::') ? missing : 0).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
