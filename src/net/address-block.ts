import ipaddr from 'ipaddr.js';

/**
 * The block of addresses that count as one: an IPv4 address, or the /64 of an IPv6 address. A subscriber gets a whole
 * /64 (RFC 6177), and can freely change addresses within it.
 * @returns the text itself when it is no IPv6 address
 */
export function addressBlock(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}
