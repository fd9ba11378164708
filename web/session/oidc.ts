import { ProviderConnectionError } from './provider-error.js';
import { ProviderSessionError } from './provider-session-error.js';
import type { TokenSource } from './token-source.js';

/** The sign-in with an identity provider, as `/console.json` names it. */
export interface OidcFacts {
  readonly issuer: string;
  readonly clientId: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly scope: string;
  /** Where the provider ends its own session. Absent: it has no such address. */
  readonly endSessionEndpoint?: string;
}

/** A sign-in that has left for the provider's page. It waits in the storage of the tab, and is used once. */
interface Begun {
  readonly state: string;
  readonly verifier: string;
  /** The place to which the user wanted to go. */
  readonly next: string;
}

interface Tokens {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly error?: string;
  readonly error_description?: string;
}

const begunKey = 'riskgraph.oidc';
/** Says that this tab was signed in by the provider: a reload asks the provider again, which then asks no password. */
const usedKey = 'riskgraph.oidc-used';

/** The state of a sign-out that has left for the provider's page. */
const endedKey = 'riskgraph.oidc-ended';

export const wasUsed = (): boolean => sessionStorage.getItem(usedKey) !== null;

/**
 * Leaves for the provider's page: authorization code flow with PKCE.
 * https://www.rfc-editor.org/rfc/rfc7636, https://www.rfc-editor.org/rfc/rfc9700
 */
export async function beginOidc(facts: OidcFacts, next: string): Promise<void> {
  const begun: Begun = { state: randomText(), verifier: randomText(), next };
  sessionStorage.setItem(begunKey, JSON.stringify(begun));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(begun.verifier));
  const url = new URL(facts.authorizationEndpoint);
  const asked = {
    response_type: 'code',
    client_id: facts.clientId,
    redirect_uri: redirectUri(),
    scope: facts.scope,
    state: begun.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Tells whether the address is that of a return from the provider. */
export const isReturn = (query: URLSearchParams): boolean =>
  query.has('state') && (query.has('code') || query.has('error'));

/**
 * Ends a sign-in that came back from the provider.
 * @throws Error with the provider's own words, or when it was not begun in this tab
 */
export async function finishOidc(
  facts: OidcFacts,
  query: URLSearchParams,
): Promise<{ readonly token: string; readonly source: TokenSource; readonly next: string }> {
  const begun = JSON.parse(sessionStorage.getItem(begunKey) ?? '{}') as Partial<Begun>;
  sessionStorage.removeItem(begunKey);
  sessionStorage.removeItem(usedKey);
  const { state, verifier, next } = begun;
  // https://www.rfc-editor.org/rfc/rfc9207: an answer of another provider is no answer.
  const isOther = query.has('iss') && query.get('iss') !== facts.issuer;
  if (!state || !verifier || state !== query.get('state') || isOther)
    throw new Error('This sign-in was not begun in this tab: sign in again.');
  const refusal = query.get('error');
  if (refusal) throw new Error(query.get('error_description') ?? refusal);
  const tokens = await askTokens(facts, {
    grant_type: 'authorization_code',
    code: query.get('code')!,
    redirect_uri: redirectUri(),
    code_verifier: verifier,
  });
  sessionStorage.setItem(usedKey, '1');
  return { token: tokens.access_token, source: providerSource(facts, tokens), next: next ?? '/' };
}

/** Renews by the provider's refresh token, which lives in memory alone. Without one, the provider is asked again. */
function providerSource(facts: OidcFacts, first: Tokens): TokenSource {
  let { refresh_token: refreshToken, id_token: idToken } = first;
  return {
    async renew() {
      if (refreshToken === undefined) {
        await beginOidc(facts, location.pathname + location.search);
        // The page is left.
        return new Promise<never>(() => undefined);
      }
      const tokens = await askTokens(facts, { grant_type: 'refresh_token', refresh_token: refreshToken }).catch(
        (error: Error) => {
          if (error instanceof ProviderConnectionError) throw error;
          return undefined;
        },
      );
      refreshToken = tokens?.refresh_token ?? refreshToken;
      idToken = tokens?.id_token ?? idToken;
      return tokens?.access_token;
    },
    async end(byViewer) {
      sessionStorage.removeItem(usedKey);
      if (!byViewer) return;
      if (!facts.endSessionEndpoint) throw new ProviderSessionError();
      endAtProvider(facts.endSessionEndpoint, facts.clientId, idToken);
    },
  };
}

/**
 * Leaves for the provider's page, which ends the session there and comes back.
 * https://openid.net/specs/openid-connect-rpinitiated-1_0.html
 */
function endAtProvider(endpoint: string, clientId: string, idToken: string | undefined): void {
  const state = randomText();
  sessionStorage.setItem(endedKey, state);
  const url = new URL(endpoint);
  const asked = { client_id: clientId, post_logout_redirect_uri: redirectUri(), state };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  if (idToken) url.searchParams.set('id_token_hint', idToken);
  location.assign(url);
}

/** Tells whether the address is that of a return from a sign-out that this tab has begun. It is so once. */
export function isSignOutReturn(query: URLSearchParams): boolean {
  const state = sessionStorage.getItem(endedKey);
  if (state === null || query.get('state') !== state) return false;
  sessionStorage.removeItem(endedKey);
  return true;
}

/** @throws ProviderConnectionError when the provider does not answer, Error with its own words when it refuses */
async function askTokens(
  { tokenEndpoint, clientId }: OidcFacts,
  asked: Readonly<Record<string, string>>,
): Promise<Tokens & { readonly access_token: string }> {
  let response: Response;
  try {
    response = await fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, ...asked }),
    });
  } catch (cause) {
    throw new ProviderConnectionError('The identity provider does not answer: check the network.', undefined, {
      cause,
    });
  }
  if (response.status >= 500 || response.status === 429)
    throw new ProviderConnectionError(`The identity provider answers ${response.status}.`, response.status);
  const tokens = (await response.json().catch(() => ({}))) as Tokens;
  if (!tokens.access_token) throw new Error(tokens.error_description ?? tokens.error ?? `Status ${response.status}`);
  return { ...tokens, access_token: tokens.access_token };
}

const redirectUri = (): string => `${location.origin}/sign-in`;
const randomText = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));
const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
