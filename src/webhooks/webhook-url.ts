import { mayReach } from '../net/webhook-address.js';
import { isPublicHost } from '../net/public-host.js';

const longestUrl = 2_048;

/** The host of a URL without the brackets of IPv6 and without a last dot. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/**
 * Tells why an address cannot be that of an endpoint. Names are looked up at each delivery, not here.
 * @param allowedHosts hosts of the operator's own network; these alone may be private, and may be without TLS
 * @returns undefined when it can
 */
export function urlIssue(text: string, allowedHosts: readonly string[]): string | undefined {
  if (text.length > longestUrl) return `must have at most ${longestUrl} characters`;
  if (!URL.canParse(text)) return 'must be a URL such as https://care.example.org/riskgraph';
  const url = new URL(text);
  const host = hostOf(url);
  if (/^\.|\.$|\.\./.test(host)) return 'must name a host without two dots in a row';
  const internal = allowedHosts.includes(host);
  if (url.protocol !== 'https:' && !(internal && url.protocol === 'http:'))
    return 'must begin with https://, except for hosts that WEBHOOK_ALLOWED_HOSTS names';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or a password';
  if (url.port === '0') return 'must not name the port 0';
  if (url.hash !== '') return 'must not contain a fragment (#)';
  const address = /^[\d.]+$|:/.test(host);
  if (address ? !mayReach(host, internal) : !internal && !isPublicHost(host))
    return 'must not name a host of a private network, except those that WEBHOOK_ALLOWED_HOSTS names';
  return undefined;
}
