/** The parts of a request that say where it comes from. */
interface RequestSource {
  /** The header Origin: browsers send it, other clients may leave it out. */
  readonly origin: string | undefined;
  /** Host and port that the client asked for. */
  readonly host: string;
}

/**
 * Tells whether a WebSocket may be opened. Browsers let every page open one to every server, and only name the page's
 * origin (RFC 6455, 10.2). The origin must be this host, or be on the allow-list. Clients that are not browsers send no
 * origin.
 * @param allowed origins such as `https://app.example.org`; `*` allows all
 */
export function isAllowedOrigin({ origin, host }: RequestSource, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // URL writes both hosts in the same way, without the port that the scheme implies.
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
