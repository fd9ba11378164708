import type { VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { ConnectionContext } from '../api/connection.js';
import { useStore } from '../components/store.js';
import { routes } from '../routes.js';
import type { Session } from '../session/session.js';
import type { ConsoleFacts } from '../session/start.js';
import { useTexts, type Language } from '../texts/texts.js';
import { CurrentPage } from './current-page.js';
import { Preferences } from './preferences.js';
import { usePlace } from './router.js';
import { useMay, useViewer } from './viewer.js';

interface ShellProps {
  readonly session: Session;
  readonly facts: ConsoleFacts;
  readonly onLanguage: (language: Language) => void;
}

/** The frame of every page: navigation, who one is, and the sign of a lost connection. */
export function Shell({ session, facts, onLanguage }: ShellProps): VNode {
  const texts = useTexts();
  const viewer = useViewer();
  const may = useMay();
  const isLost = useStore(useContext(ConnectionContext).isLost);
  const { path } = usePlace();
  const offered = routes.filter(({ navigation, permission }) => navigation && may(permission));
  const isHere = (place: string): boolean => path === place || (place !== '/' && path.startsWith(`${place}/`));
  return (
    <>
      <a class="skip" href="#content">
        {texts.shell.skip}
      </a>
      <header class="top">
        <a class="brand" href="/">
          RiskGraph
        </a>
        <nav aria-label={texts.navigation.label}>
          <ul>
            {offered.map((route) => (
              <li key={route.path}>
                <a href={route.path} aria-current={isHere(route.path) ? 'page' : undefined}>
                  {route.navigation!(texts)}
                </a>
              </li>
            ))}
            {facts.explorer && (
              <li>
                <a href="/graphiql">{texts.navigation.explore}</a>
              </li>
            )}
          </ul>
        </nav>
        <div class="who">
          <span class="who-name">
            {texts.shell.of(viewer.username, viewer.organization.name)}
            <small>{texts.roles[viewer.role]}</small>
          </span>
          <Preferences onLanguage={onLanguage} />
          <button type="button" class="quiet" onClick={() => void session.signOut()}>
            {texts.shell.signOut}
          </button>
        </div>
      </header>
      <div role="status" class="connection">
        {isLost && <p>{texts.shell.lost}</p>}
      </div>
      <main id="content">
        <CurrentPage />
      </main>
    </>
  );
}
