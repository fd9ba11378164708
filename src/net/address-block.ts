import ipaddr from 'ipaddr.js';
import { isIPv4 } from 'node:net';

/** The address of a caller whose proxy names no address: all such callers count as one. */
export const unknownAddress = 'unknown';

/**
 * Reads an address as a proxy may write it: `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`. A zone
 * such as `%eth0` is dropped: a caller could choose it. An IPv4 address in the form of IPv6 becomes an IPv4 address.
 * @returns the normal form; undefined for a text that is no address
 */
export function parseAddress(text: string): string | undefined {
  // The address of a connection, which each request asks for, is in its normal form already.
  if (isIPv4(text)) return text;
  const written = text.trim();
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(written)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(written)?.[1] ?? written;
  const address = bare.replace(/%[^%]*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address).toString();
  return ipaddr.IPv6.isValid(address) ? ipaddr.process(address).toString() : undefined;
}

/**
 * The block of addresses that count as one: an IPv4 address, or the /64 of an IPv6 address. A subscriber gets a whole
 * /64 (RFC 6177), and can freely change addresses within it.
 * @returns the text `unknown` when the given one is no address
 */
export function addressBlock(address: string): string {
  return networkOf(address, 64) ?? parseAddress(address) ?? unknownAddress;
}

/**
 * The /48 of an IPv6 address. Many providers give a customer as much (RFC 6177), which holds 65,536 blocks.
 * @returns undefined for every other text
 */
export const wideBlock = (address: string): string | undefined => networkOf(address, 48);

function networkOf(address: string, bits: number): string | undefined {
  if (isIPv4(address)) return undefined;
  const parsed = parseAddress(address);
  if (parsed === undefined || !ipaddr.IPv6.isValid(parsed)) return undefined;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed}/${bits}`).toString()}/${bits}`;
}
