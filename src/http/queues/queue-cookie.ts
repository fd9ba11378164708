import { readCookie, writeCookie } from '../own-cookie.js';

/** The page of the queues, to which alone browsers send its cookie. */
export const queuesPath = '/queues';
/** The queues with all that an ADMIN may change. */
export const controlPath = `${queuesPath}/control`;

const name = 'riskgraph_queues';

/** The content of the cookie: an access token, and whether its ADMIN asked for more than reading. */
interface QueueCookie {
  readonly token: string;
  readonly control: boolean;
}

/** @returns undefined without a cookie of that form */
export function readQueueCookie(header: string | undefined): QueueCookie | undefined {
  const value = readCookie(header, name) ?? '';
  const [, mode, token] = /^(read|control)\.([\w.~+=-]{1,8000})$/.exec(value) ?? [];
  return token === undefined ? undefined : { token, control: mode === 'control' };
}

/**
 * Writes the cookie. No script can read it, no page of another site sends it, and it ends with its token.
 * @param isSecure whether the browser came over TLS
 */
export function writeQueueCookie({ token, control }: QueueCookie, expiresAt: number, isSecure: boolean): string {
  const seconds = Math.max(0, Math.floor((expiresAt - Date.now()) / 1_000));
  return cookie(`${control ? 'control' : 'read'}.${token}`, seconds, isSecure);
}

/** Ends the cookie. */
export const endQueueCookie = (isSecure: boolean): string => cookie('', 0, isSecure);

const cookie = (value: string, seconds: number, isSecure: boolean): string =>
  writeCookie({ name, path: queuesPath, value, seconds, isSecure });
