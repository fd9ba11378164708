/** What of a request says where it comes from. */
export interface RequestSource {
  /** The header Origin: browsers send it, other clients need not. */
  readonly origin: string | undefined;
  /** Host and port that the client asked for. */
  readonly host: string;
}

/**
 * Whether a WebSocket may be opened: browsers let every page open one to every server, and only say whose page it was
 * (RFC 6455, 10.2). It must be one of this host, or of the allow-list. Clients that are no browsers send no origin.
 * @param allowed origins such as `https://app.example.org`; `*` allows all
 */
export function isAllowedOrigin({ origin, host }: RequestSource, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // The same way of writing both: without the port that the scheme implies.
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
