/** A time of the address as the API takes it. A value that is no time counts as absent. */
export function addressTime(query: URLSearchParams, name: string): string | undefined {
  const date = new Date(query.get(name) ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
