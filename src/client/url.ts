/** The address of GraphQL: `/graphql`, when the given address has no path of its own. */
export function apiUrl(given: string): string {
  const url = new URL(given, (globalThis as { location?: { href: string } }).location?.href);
  if (url.pathname === '/') url.pathname = '/graphql';
  return url.href;
}
