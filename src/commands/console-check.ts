import { StartupError } from '../errors.js';
import { NotCheckedError } from './checks.js';
import { unreachable } from './unreachable.js';

/** Longest time of one request, milliseconds. */
const requestMs = 10_000;

/**
 * Checks that a browser gets the console: its page, each file that the page names, its facts and its session. A
 * deployment may hide all of it.
 * @throws NotCheckedError where its page is not published
 * @throws StartupError naming what the page lacks
 */
export async function checkConsole(url: string): Promise<string> {
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, url), { redirect: 'manual', ...init, signal: AbortSignal.timeout(requestMs) }).catch(
      (error: unknown) => {
        throw unreachable(new URL(url), error);
      },
    );
  const page = await ask('/', { headers: { accept: 'text/html' } });
  const text = await page.text();
  if (page.status === 404 || (page.ok && !text.includes('<div id="console">')))
    throw new NotCheckedError('it is not published at this address: docs/operations.md has the paths (nginx)');
  if (!page.ok) throw new StartupError(`status ${page.status}: look into the log of the API and of the proxy`);
  const files = [...text.matchAll(/ (?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
  const answers = [
    ...files.map(async (path) => ({ path, isThere: (await ask(path)).ok })),
    ask('/console.json').then(({ ok }) => ({ path: '/console.json', isThere: ok })),
    // Without its header a session is refused.
    ask('/session', { method: 'POST' }).then(({ status }) => ({ path: '/session', isThere: status === 403 })),
    ...['/sign-in', '/cohorts', '/jobs', '/models', '/administration'].map(async (path) => {
      const answer = await ask(path, { headers: { accept: 'text/html' } });
      return { path, isThere: answer.ok && (await answer.text()) === text };
    }),
  ];
  const missing = (await Promise.all(answers)).filter(({ isThere }) => !isThere).map(({ path }) => path);
  if (missing.length > 0)
    throw new StartupError(`its page is there, and ${missing.join(', ')} not: let the proxy pass them on`);
  return `its page, ${files.length} files, its facts and its session`;
}
