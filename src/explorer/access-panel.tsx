import { useSyncExternalStore, type FormEvent, type ReactElement } from 'react';
import type { Session } from './session.js';

/** The icon of the panel: a key. */
export const KeyIcon = (): ReactElement => (
  <svg viewBox="0 0 24 24" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <circle cx="8" cy="15" r="4" />
    <path d="M11 12 20 3m-4 4 3 3" strokeLinecap="round" />
  </svg>
);

/** The panel in which a user logs in. The tokens stay in the memory of the tab. */
export function AccessPanel({ session }: { readonly session: Session }): ReactElement {
  const { authorization, who, expiresAt, problem } = useSyncExternalStore(session.onChange, session.state);
  const logIn = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string): string => String(form.get(name) ?? '');
    void session
      .logIn({ organization: value('organization'), username: value('username'), password: value('password') })
      .catch(() => undefined);
  };
  const useToken = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    session.use(String(new FormData(event.currentTarget).get('token') ?? ''));
  };
  return (
    <div className="access">
      <h2 className="graphiql-doc-explorer-title">Access</h2>
      {problem && <p role="alert">{problem}</p>}
      {authorization ? (
        <>
          <p id="who">Requests are sent as {who}.</p>
          {expiresAt && <p>The token ends at {expiresAt.toLocaleTimeString()}, and is renewed before.</p>}
          <button type="button" className="graphiql-button" onClick={() => void session.logOut()}>
            Log out
          </button>
        </>
      ) : (
        <>
          <form onSubmit={logIn} autoComplete="on">
            <Field label="Organization" name="organization" />
            <Field label="Username" name="username" />
            <Field label="Password" name="password" type="password" />
            <button type="submit" className="graphiql-button graphiql-button-success">
              Log in
            </button>
          </form>
          <form onSubmit={useToken}>
            <Field label="Or an access token" name="token" type="password" />
            <button type="submit" className="graphiql-button">
              Use it
            </button>
          </form>
        </>
      )}
      <p>
        An <code>authorization</code> in the tab &quot;Headers&quot; goes first.
      </p>
    </div>
  );
}

function Field({ label, name, type = 'text' }: { label: string; name: string; type?: string }): ReactElement {
  return (
    <label>
      {label}
      <input name={name} type={type} required spellCheck={false} autoCapitalize="none" />
    </label>
  );
}
