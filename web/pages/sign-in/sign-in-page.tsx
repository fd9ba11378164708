import type { TargetedSubmitEvent, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ErrorBox } from '../../components/error-box.js';
import type { Session } from '../../session/session.js';
import { Preferences } from '../../shell/preferences.js';
import { beginOidc, type OidcFacts } from '../../session/oidc.js';
import { ProviderSessionError } from '../../session/provider-session-error.js';
import { ownPath } from '../../session/start.js';
import { usePlace, useTitle } from '../../shell/router.js';
import { useTexts, type Language } from '../../texts/texts.js';

interface SignInPageProps {
  readonly session: Session;
  /** The identity provider, when users may sign in with it. */
  readonly oidc: OidcFacts | undefined;
  /** The reason why the last session ended, or the last sign-in did not work. */
  readonly problem: Error | undefined;
  /** True after a sign-out that the identity provider has confirmed. */
  readonly isSignedOut: boolean;
  readonly onDone: () => void;
  readonly onLanguage: (language: Language) => void;
}

/** Signs a user in. The password goes to the API alone, and is kept nowhere. */
export function SignInPage({ session, oidc, problem, isSignedOut, onDone, onLanguage }: SignInPageProps): VNode {
  const { signIn } = useTexts();
  const [error, setError] = useState(problem);
  useEffect(() => setError(problem), [problem]);
  const [isRunning, setRunning] = useState(false);
  const { query } = usePlace();
  useTitle(signIn.title);
  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string): string => String(form.get(name) ?? '');
    setRunning(true);
    setError(undefined);
    try {
      await session.signIn({
        organization: value('organization').trim(),
        username: value('username').trim(),
        password: value('password'),
      });
      onDone();
    } catch (refused) {
      setError(refused as Error);
      setRunning(false);
    }
  }
  return (
    <main id="content" class="sign-in">
      <form class="card" method="post" onSubmit={(event) => void submit(event)}>
        <p class="brand">RiskGraph</p>
        <h1>{signIn.title}</h1>
        {isSignedOut && <p role="status">{signIn.signedOut}</p>}
        {error instanceof ProviderSessionError && (
          <p role="status" class="note">
            {signIn.providerSession}
          </p>
        )}
        {oidc && (
          <>
            <button
              type="button"
              class="primary wide"
              onClick={() => void beginOidc(oidc, ownPath(query.get('next'))).catch(setError)}
            >
              {signIn.provider}
            </button>
            <p class="quiet">{signIn.orPassword}</p>
          </>
        )}
        <label>
          {signIn.organization}
          <input name="organization" required autocomplete="organization" autocapitalize="none" spellcheck={false} />
          <small>{signIn.organizationHelp}</small>
        </label>
        <label>
          {signIn.username}
          <input name="username" required autocomplete="username" autocapitalize="none" spellcheck={false} />
        </label>
        <label>
          {signIn.password}
          <input name="password" type="password" required autocomplete="current-password" />
        </label>
        {error && !(error instanceof ProviderSessionError) && <ErrorBox error={error} />}
        <button type="submit" class="primary wide" disabled={isRunning}>
          {isRunning ? signIn.running : signIn.submit}
        </button>
      </form>
      <Preferences onLanguage={onLanguage} />
    </main>
  );
}
