import { useEffect, useState } from 'preact/hooks';
import { createStore, useStore } from '../components/store.js';

/** The place that the address names: path and query string. */
interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const place = createStore<Place>(read());

addEventListener('popstate', () => place.set(read()));

let moved = false;
place.subscribe(() => (moved = true));
/** True after the first navigation: before it, the focus stays where the browser put it. */
export const hasMoved = (): boolean => moved;

/** The place that the address names now. */
export const usePlace = (): Place => useStore(place);

/**
 * Goes to another place.
 * @param address path with query string. It never holds what tells who a patient is
 * @param options.replace true leaves no step in the history
 */
export function navigate(address: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (address === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  place.set(read());
}

/** Addresses of this host that are pages of their own. */
const elsewhere = /^\/(?:graphql|graphiql|queues|health|metrics|assets)(?:[/?]|$)/;

/** Lets every plain link to a place of the console go there without a reload. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    const address = link.pathname + link.search;
    if (elsewhere.test(address) || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    navigate(address);
  });
}

/**
 * One value of the query string, such as a filter or a tab. A reload, a bookmark and the back button keep it. It never
 * holds what tells who a patient is.
 * @param fallback the value that is left out of the address
 */
export function useQueryValue(name: string, fallback = ''): [string, (value: string) => void] {
  const { query } = usePlace();
  return [
    query.get(name) ?? fallback,
    (value) => {
      const next = new URLSearchParams(location.search);
      if (value === fallback) next.delete(name);
      else next.set(name, value);
      const text = next.toString();
      navigate(location.pathname + (text && `?${text}`), { replace: true });
    },
  ];
}

/**
 * Compares a path with a pattern such as `/jobs/:id`.
 * @returns the parts that the pattern names, or undefined when it does not fit, or the path is not a valid one
 */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = path.replace(/(?<=.)\/$/, '').split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':') && given[index] !== '') {
      const value = decoded(given[index]!);
      if (value === undefined) return undefined;
      params[part.slice(1)] = value;
    } else if (part !== given[index]) return undefined;
  }
  return params;
}

/** @returns undefined for what is not a valid part of an address, such as `%` */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** Sets the title of the window. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · RiskGraph`;
  }, [title]);
}

/** The present time, again each `everyMs`: for ages such as "2 minutes ago". */
export function useNow(everyMs = 30_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
