/** Time before the end of an access token at which it is renewed, milliseconds. */
const renewedBeforeMs = 60_000;
/** Time until the next attempt when a renewal got no answer, milliseconds. */
const nextAttemptMs = 5_000;

/** The credential of the page. It lives in the memory of the tab alone, and ends with it. */
interface SessionState {
  /** The value of the header `authorization`, or undefined before a log-in. */
  readonly authorization: string | undefined;
  /** For example `anna, CLINICIAN of demo`. */
  readonly who: string | undefined;
  /** The time when the access token ends. */
  readonly expiresAt: Date | undefined;
  /** The reason why the last attempt failed. */
  readonly problem: string | undefined;
}

interface Credentials {
  readonly organization: string;
  readonly username: string;
  readonly password: string;
}

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
  readonly viewer: {
    readonly username: string;
    readonly role: string;
    readonly organization: { readonly slug: string };
  };
}

interface Answer {
  readonly data?: Record<string, Tokens | null> | null;
  readonly errors?: readonly { readonly message: string }[];
}

const nothing: SessionState = { authorization: undefined, who: undefined, expiresAt: undefined, problem: undefined };
const tokenFields = 'accessToken refreshToken expiresAt viewer { username role organization { slug } }';

/**
 * Logs a user in, and renews the access token a minute before it ends. A page that slept renews at its first look.
 * @param endpoint the address of the API
 */
export class Session {
  #state = nothing;
  #refreshToken: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly endpoint: string) {}

  readonly state = (): SessionState => this.#state;

  /** Calls back after each change. Returns the function that ends this. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async logIn(input: Credentials): Promise<void> {
    await this.#ask(`mutation ($input: LoginInput!) { tokens: login(input: $input) { ${tokenFields} } }`, { ...input });
  }

  /** Takes an access token that was made elsewhere. It is not renewed. */
  use(token: string): void {
    this.#end();
    this.#change({
      ...nothing,
      authorization: `Bearer ${token.replace(/^bearer\s+/i, '').trim()}`,
      who: 'a given token',
    });
  }

  async logOut(): Promise<void> {
    const refreshToken = this.#refreshToken;
    this.#end();
    this.#change(nothing);
    if (refreshToken)
      await this.#post('mutation ($input: LogoutInput!) { logout(input: $input) { ended } }', { refreshToken });
  }

  async #renew(): Promise<void> {
    const { expiresAt } = this.#state;
    try {
      await this.#ask(`mutation ($input: RefreshInput!) { tokens: refresh(input: $input) { ${tokenFields} } }`, {
        refreshToken: this.#refreshToken!,
      });
    } catch {
      if (expiresAt && expiresAt.getTime() > Date.now()) this.#timer = setTimeout(() => this.#renew(), nextAttemptMs);
    }
  }

  async #ask(query: string, input: Record<string, string>): Promise<void> {
    const { data, errors } = await this.#post(query, input);
    const tokens = data?.['tokens'];
    if (!tokens) {
      this.#end();
      return this.#change({ ...nothing, problem: errors?.[0]?.message ?? 'The server gave no tokens.' });
    }
    this.#end();
    const { username, role, organization } = tokens.viewer;
    const expiresAt = new Date(tokens.expiresAt);
    this.#refreshToken = tokens.refreshToken;
    const remainingMs = expiresAt.getTime() - Date.now();
    this.#timer = setTimeout(() => this.#renew(), Math.max(remainingMs - renewedBeforeMs, remainingMs / 2, 1_000));
    this.#change({
      authorization: `Bearer ${tokens.accessToken}`,
      who: `${username}, ${role} of ${organization.slug}`,
      expiresAt,
      problem: undefined,
    });
  }

  async #post(query: string, input: Record<string, string>): Promise<Answer> {
    const response = await fetch(this.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return (await response.json()) as Answer;
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#refreshToken = undefined;
  }

  #change(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
