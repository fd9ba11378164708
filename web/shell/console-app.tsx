import { Provider } from '@urql/preact';
import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { createApi } from '../api/api.js';
import { ApiContext } from '../api/context.js';
import { ConnectionContext, watchConnection } from '../api/connection.js';
import { useQuery } from '../api/hooks.js';
import { ErrorBox } from '../components/error-box.js';
import { ConsoleViewerDocument } from '../generated/graphql.js';
import { SignInPage } from '../pages/sign-in/sign-in-page.js';
import type { Session } from '../session/session.js';
import { SessionContext } from '../session/session-context.js';
import { loadWords, rememberLanguage, WordsContext, type Language, type Words } from '../texts/texts.js';
import { navigate, usePlace } from './router.js';
import { Shell } from './shell.js';
import { ViewerContext } from './viewer.js';

interface ConsoleAppProps {
  readonly session: Session;
  /** The texts of the first language. */
  readonly words: Words;
  /** True when the cookie continued a session. */
  readonly hasSession: boolean;
}

/** The whole console: sign-in, or the shell with the page that the address names. */
export function ConsoleApp({ session, words: first, hasSession }: ConsoleAppProps): VNode {
  const [words, setWords] = useState(first);
  const [isSignedIn, setSignedIn] = useState(hasSession);
  const { path, query } = usePlace();
  useEffect(() => session.onEnd(() => setSignedIn(false)), [session]);
  useEffect(() => {
    document.documentElement.lang = words.language;
  }, [words]);
  useEffect(() => {
    // The place that was asked for comes back after the sign-in.
    const next = location.pathname + location.search;
    if (!isSignedIn && path !== '/sign-in')
      navigate(`/sign-in${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`, { replace: true });
    if (isSignedIn && path === '/sign-in') navigate(ownPath(query.get('next')), { replace: true });
  }, [isSignedIn, path]);
  const choose = (language: Language): void => {
    rememberLanguage(language);
    void loadWords(language).then(setWords);
  };
  return (
    <WordsContext.Provider value={words}>
      {isSignedIn ? (
        <SessionContext.Provider value={session}>
          <SignedIn session={session} onLanguage={choose} />
        </SessionContext.Provider>
      ) : (
        <SignInPage session={session} onLanguage={choose} onDone={() => setSignedIn(true)} />
      )}
    </WordsContext.Provider>
  );
}

/** A path of this console, whatever the address says: never one of another host. */
const ownPath = (next: string | null): string => (next && /^\/(?![/\\])/.test(next) ? next : '/');

interface SignedInProps {
  readonly session: Session;
  readonly onLanguage: (language: Language) => void;
}

/** Each sign-in has a client and a cache of its own, so nothing of an earlier viewer stays. */
function SignedIn({ session, onLanguage }: SignedInProps): VNode {
  const { connection, api } = useMemo(() => {
    const connection = watchConnection();
    return { connection, api: createApi(session, connection) };
  }, [session]);
  useEffect(() => () => void api.client.close(), [api]);
  return (
    <ConnectionContext.Provider value={connection}>
      <ApiContext.Provider value={api}>
        <Provider value={api.urql}>
          <WithViewer session={session}>
            <Shell session={session} onLanguage={onLanguage} />
          </WithViewer>
        </Provider>
      </ApiContext.Provider>
    </ConnectionContext.Provider>
  );
}

function WithViewer({ session, children }: { readonly session: Session; readonly children: VNode }): VNode | null {
  const { data, error, reload } = useQuery(ConsoleViewerDocument, {});
  const isOver = error?.graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED');
  useEffect(() => {
    if (isOver) void session.signOut();
  }, [isOver, session]);
  if (data) return <ViewerContext.Provider value={data.viewer}>{children}</ViewerContext.Provider>;
  return error && !isOver ? <ErrorBox error={error} onRetry={reload} /> : null;
}
