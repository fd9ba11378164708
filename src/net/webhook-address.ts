import ipaddr from 'ipaddr.js';

/**
 * Services of cloud providers that give credentials to every program that asks, at addresses that are not link-local:
 * AWS over IPv6, Azure, Alibaba, Oracle.
 */
const metadataAddresses = new Set(['fd00:ec2:0:0:0:0:0:254', '168.63.129.16', '100.100.100.200', '192.0.0.192']);

/** Ranges that a named host of the operator's own network may have. The others stay refused. */
const internalRanges = new Set(['private', 'uniqueLocal', 'loopback', 'carrierGradeNat']);

/** The addresses of the Internet that IPv6 has given out so far (RFC 4291, 2.4). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Tells whether a webhook may be sent to an address. Public addresses are allowed. Those of private networks, of this
 * machine and of its link, and those that stand for an IPv4 address, are refused.
 * @param internal true for a host that the operator has named: private addresses and this machine are allowed too, but
 *   never link-local and metadata addresses
 */
export function mayReach(address: string, internal: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (metadataAddresses.has(parsed.toNormalizedString())) return false;
  if (internal && internalRanges.has(range)) return true;
  if (range !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || (parsed as ipaddr.IPv6).match(globalUnicast);
}
