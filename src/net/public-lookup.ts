import { Resolver, type LookupAddress, type LookupAllOptions } from 'node:dns';

/** Time after which a server of names is asked again, and number of questions. Together less than a delivery may take. */
const patience = { timeout: 2_500, tries: 2 } as const;

/** The look-up of all addresses of a name, as that of `node:dns` with the option `all`. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Looks up names of the Internet with questions of our own to the servers of names. The look-up of the system keeps a
 * thread busy until it has an answer, and two such threads serve the whole process
 * (https://nodejs.org/api/dns.html#implementation-considerations). A caller who names hosts whose server never answers
 * would hold up the look-ups of all others. Here each question waits on its own.
 *
 * The file of hosts and search domains are not used: names of the operator's own network need the look-up of the system.
 * @param servers IP addresses with ports. @defaultValue those of the system
 */
export function createPublicLookup(servers?: readonly string[]): LookupAll {
  const resolver = new Resolver(patience);
  if (servers) resolver.setServers(servers);
  const ask = (
    kind: 'resolve4' | 'resolve6',
    hostname: string,
  ): Promise<{ readonly error?: NodeJS.ErrnoException; readonly addresses: readonly string[] }> =>
    new Promise((resolve) =>
      resolver[kind](hostname, (error, addresses) => resolve(error ? { error, addresses: [] } : { addresses })),
    );

  return (hostname, _options, done) => {
    void Promise.all([ask('resolve4', hostname), ask('resolve6', hostname)]).then(([ipv4, ipv6]) => {
      const addresses = [
        ...ipv4.addresses.map((address) => ({ address, family: 4 })),
        ...ipv6.addresses.map((address) => ({ address, family: 6 })),
      ];
      if (addresses.length > 0) done(null, addresses);
      else done(ipv4.error ?? ipv6.error ?? null, []);
    });
  };
}
