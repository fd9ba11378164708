import type { ComponentType, VNode } from 'preact';
import { useContext, useEffect, useErrorBoundary, useRef, useState } from 'preact/hooks';
import { ConnectionContext, isReached } from '../api/connection.js';
import { useHeals } from '../api/hooks.js';
import type { PageProps } from '../pages/page-props.js';
import { routes, type Route } from '../routes.js';
import { useTexts } from '../texts/texts.js';
import { hasMoved, matchPath, navigate, usePlace, useTitle } from './router.js';
import { useMay, useViewer } from './viewer.js';

/** Time that the first page has for itself before the others are loaded, milliseconds. */
const othersAfterMs = 2_000;

/** Pages that were loaded before: they are drawn at once. */
const loaded = new Map<Route, ComponentType<PageProps>>();

async function load(route: Route): Promise<ComponentType<PageProps>> {
  const { default: Page } = await route.load();
  loaded.set(route, Page);
  return Page;
}

/** Loads the other pages that the viewer may see, once the first one is there. They then open without a network too. */
function useOtherPages(isThere: boolean): void {
  const may = useMay();
  useEffect(() => {
    if (!isThere) return;
    const timer = setTimeout(() => {
      for (const route of routes)
        if (may(route.permission) && !loaded.has(route)) void load(route).catch(() => undefined);
    }, othersAfterMs);
    return () => clearTimeout(timer);
  }, [isThere]);
}

/** The page that the address names. The focus goes to its heading, so that a screen reader begins there. */
export function CurrentPage(): VNode | null {
  const { path } = usePlace();
  const may = useMay();
  const found = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params ? [{ route, params }] : [];
  })[0];
  const home = routes.find(({ navigation, permission }) => navigation && may(permission));
  const isHome = path === '/';
  const mayHome = found && may(found.route.permission);
  useEffect(() => {
    if (isHome && !mayHome && home && home.path !== '/') navigate(home.path, { replace: true });
  }, [isHome, mayHome, home]);
  if (found && mayHome) return <LoadedPage key={path} route={found.route} params={found.params} />;
  if (isHome && home) return null;
  return found ? <NotAllowed /> : <NotFound />;
}

function LoadedPage({ route, params }: { readonly route: Route } & PageProps): VNode {
  const texts = useTexts();
  const connection = useContext(ConnectionContext);
  const [page, setPage] = useState<{
    readonly Page?: ComponentType<PageProps> | undefined;
    readonly problem?: 'away' | 'failed';
  }>(() => ({ Page: loaded.get(route) }));
  const [error] = useErrorBoundary();
  // A browser may not load again what failed once. The address brings the reloaded page back to this place.
  useHeals(() => page.problem === 'away' && location.reload());
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (page.Page || page.problem) return;
    let live = true;
    load(route).then(
      (Page) => live && setPage({ Page }),
      async () => {
        const wasLost = connection.isLost.get();
        const isThere = await isReached();
        // The viewer has gone to another page meanwhile, which must not be loaded again.
        if (!live) return;
        if (wasLost && isThere) return location.reload();
        if (!isThere) connection.lost();
        setPage({ problem: isThere ? 'failed' : 'away' });
      },
    );
    return () => {
      live = false;
    };
  }, [route, page]);
  const isThere = page.Page !== undefined;
  useOtherPages(isThere);
  useEffect(() => (isThere && hasMoved() ? focusHeading(frame.current!) : undefined), [isThere]);
  if (page.problem === 'failed' || error)
    return (
      <section class="message">
        <h1>{texts.shell.pageFailed}</h1>
        <p>{texts.shell.pageFailedHelp}</p>
        <button type="button" onClick={() => location.reload()}>
          {texts.shell.reload}
        </button>
      </section>
    );
  return (
    <div ref={frame}>{page.Page ? <page.Page params={params} /> : <p class="quiet">{texts.shell.loading}</p>}</div>
  );
}

/** Puts the focus on the heading, and again when the page draws another one in its place, e.g. when its data come. */
function focusHeading(frame: HTMLElement): () => void {
  let heading: HTMLElement | null = null;
  const focus = (): void => {
    // Another place has the focus: the person went there.
    if (heading?.isConnected || (heading && document.activeElement !== document.body)) return;
    heading = frame.querySelector('h1');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  focus();
  scrollTo(0, 0);
  const observer = new MutationObserver(focus);
  observer.observe(frame, { childList: true, subtree: true });
  return () => observer.disconnect();
}

function NotFound(): VNode {
  const { shell } = useTexts();
  useTitle(shell.notFound);
  return (
    <section class="message">
      <h1>{shell.notFound}</h1>
      <p>{shell.notFoundHelp}</p>
    </section>
  );
}

function NotAllowed(): VNode {
  const { shell, roles } = useTexts();
  const { role } = useViewer();
  useTitle(shell.notAllowed);
  return (
    <section class="message">
      <h1>{shell.notAllowed}</h1>
      <p>{role === 'ADMIN' ? shell.notForAdministrators : shell.notAllowedHelp(roles[role])}</p>
    </section>
  );
}
