import ipaddr from 'ipaddr.js';

/**
 * The addresses that are counted as one: an IPv4 address, or the /64 of an IPv6 address. A subscriber is given a whole /64
 * (RFC 6177), and can change addresses within it at will.
 * @returns the text itself when it is no IPv6 address
 */
export function addressBlock(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}
