/** Gives the access token of each request and connection. */
export interface Credential {
  /**
   * Returns the access token or API key to send. Undefined for an anonymous caller.
   * @param refused a token that the API has just refused: another one is wanted
   */
  token(refused?: string): Promise<string | undefined>;
  /** Milliseconds until the token should be renewed. Undefined: never. */
  renewInMs(token: string): Promise<number | undefined>;
}

/** A part of its life after which a token is renewed. The rest is for slow networks. */
const renewAfter = 0.75;

/**
 * Makes a credential of a token, an API key, or a function that returns one: it is called for each request and
 * connection, and should return the same token until that is about to end.
 */
export function toCredential(
  source: string | ((refused?: string) => string | undefined | Promise<string | undefined>) | undefined,
): Credential {
  return {
    token: async (refused) => (typeof source === 'function' ? source(refused) : source),
    async renewInMs(token) {
      const { exp } = claimsOf(token);
      return typeof source === 'function' && exp !== undefined
        ? Math.max((exp * 1000 - Date.now()) * renewAfter, 500)
        : undefined;
    },
  };
}

/** Milliseconds after its receipt at which a token should be renewed. The clocks of both sides may differ. */
export function renewalDelay(token: string): number {
  const { exp = Infinity, iat = 0 } = claimsOf(token);
  return (exp - iat) * 1000 * renewAfter;
}

/** Reads the claims of a JWT. They are not verified, which is the server's task. */
function claimsOf(token: string): { readonly exp?: number; readonly iat?: number } {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as object;
  } catch {
    return {};
  }
}
