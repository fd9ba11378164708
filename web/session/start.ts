import { navigate } from '../shell/router.js';
import { beginOidc, finishOidc, isReturn, isSignOutReturn, wasUsed, type OidcFacts } from './oidc.js';
import type { Session } from './session.js';

/** The facts of this server that the page needs before a sign-in. */
export interface ConsoleFacts {
  readonly version: string;
  readonly explorer: boolean;
  readonly oidc?: OidcFacts;
}

/** The outcome of the start of the page. */
export interface Start {
  readonly isSignedIn: boolean;
  /** True after a sign-out that came back from the identity provider. */
  readonly isSignedOut?: boolean;
  /** The reason why a sign-in with the identity provider did not work. */
  readonly problem?: Error;
}

/**
 * Continues the session of the cookie, or ends a sign-in or sign-out that came back from the identity provider.
 * @param asked the facts, which may be on their way: the session does not wait for them
 */
export async function startSession(session: Session, asked: Promise<ConsoleFacts>): Promise<Start> {
  const query = new URLSearchParams(location.search);
  const hasReturned = location.pathname === '/sign-in' && isReturn(query);
  if (location.pathname === '/sign-in' && isSignOutReturn(query)) {
    navigate('/sign-in', { replace: true });
    return { isSignedIn: false, isSignedOut: true };
  }
  // A server that is away now may be there when the viewer signs in.
  const resume = (): Promise<boolean> => session.resume().catch(() => false);
  const resumed = hasReturned ? undefined : resume();
  const { oidc } = await asked;
  if (oidc && hasReturned) {
    try {
      const { token, source, next } = await finishOidc(oidc, query);
      session.adopt(token, source);
      navigate(next, { replace: true });
      return { isSignedIn: true };
    } catch (error) {
      navigate('/sign-in', { replace: true });
      return { isSignedIn: false, problem: error as Error };
    }
  }
  if (await (resumed ?? resume())) return { isSignedIn: true };
  if (oidc && wasUsed()) {
    await beginOidc(oidc, location.pathname + location.search);
    return new Promise<never>(() => undefined);
  }
  return { isSignedIn: false };
}

/** A path of this console, whatever the address says: never one of another host. */
export const ownPath = (next: string | null): string => (next && /^\/(?![/\\])/.test(next) ? next : '/');
