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
import { ownPath, type ConsoleFacts, type Start } from '../session/start.js';
import { loadWords, rememberLanguage, WordsContext, type Language, type Words } from '../texts/texts.js';
import { navigate, usePlace } from './router.js';
import { Shell } from './shell.js';
import { ViewerContext } from './viewer.js';

interface ConsoleAppProps {
  readonly session: Session;
  /** The texts of the first language. */
  readonly words: Words;
  readonly facts: ConsoleFacts;
  readonly start: Start;
}

/** The whole console: sign-in, or the shell with the page that the address names. */
export function ConsoleApp({ session, facts, words: first, start }: ConsoleAppProps): VNode {
  const [words, setWords] = useState(first);
  const [isSignedIn, setSignedIn] = useState(start.isSignedIn);
  const { path, query } = usePlace();
  const [problem, setProblem] = useState(start.problem);
  const [isSignedOut, setSignedOut] = useState(start.isSignedOut ?? false);
  useEffect(
    () =>
      session.onEnd((reason) => {
        setProblem(reason);
        setSignedIn(false);
      }),
    [session],
  );
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
          <SignedIn session={session} facts={facts} onLanguage={choose} />
        </SessionContext.Provider>
      ) : (
        <SignInPage
          session={session}
          oidc={facts.oidc}
          problem={problem}
          isSignedOut={isSignedOut}
          onLanguage={choose}
          onDone={() => {
            setSignedOut(false);
            setSignedIn(true);
          }}
        />
      )}
    </WordsContext.Provider>
  );
}

interface SignedInProps {
  readonly session: Session;
  readonly facts: ConsoleFacts;
  readonly onLanguage: (language: Language) => void;
}

/** Each sign-in has a client and a cache of its own, so nothing of an earlier viewer stays. */
function SignedIn({ session, facts, onLanguage }: SignedInProps): VNode {
  const { connection, api } = useMemo(() => {
    const connection = watchConnection();
    return { connection, api: createApi(session, connection) };
  }, [session]);
  useEffect(
    () => () => {
      connection.close();
      void api.client.close();
    },
    [api, connection],
  );
  return (
    <ConnectionContext.Provider value={connection}>
      <ApiContext.Provider value={api}>
        <Provider value={api.urql}>
          <WithViewer>
            <Shell session={session} facts={facts} onLanguage={onLanguage} />
          </WithViewer>
        </Provider>
      </ApiContext.Provider>
    </ConnectionContext.Provider>
  );
}

function WithViewer({ children }: { readonly children: VNode }): VNode | null {
  const { data, error, reload } = useQuery(ConsoleViewerDocument, {});
  if (data) return <ViewerContext.Provider value={data.viewer}>{children}</ViewerContext.Provider>;
  return error ? <ErrorBox error={error} onRetry={reload} /> : null;
}
