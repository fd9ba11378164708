import { ConnectionError, type ResponseError } from '../../src/client/errors.js';
import { RefusedError } from './refused-error.js';

/** Gives access tokens: the session of this server, or an identity provider. */
export interface TokenSource {
  /** Gives a new access token. Undefined when the session is over. @throws ConnectionError */
  renew(): Promise<string | undefined>;
  /**
   * Ends the session at its source.
   * @param byViewer the viewer asked for the end. A provider then ends its own session too, and the page may be left
   * @throws RefusedError with the API's own words; ConnectionError; ProviderSessionError
   */
  end(byViewer: boolean): Promise<void>;
}

/** What a password sign-in asks for. */
export interface PasswordInput {
  readonly organization: string;
  readonly username: string;
  readonly password: string;
}

/** Longest time that the end of a session may take, milliseconds. A sign-in waits for it. */
const longestEndMs = 10_000;

/** The session of this server. Its refresh token is in a cookie that no script can read. */
export const cookieSource: TokenSource & { begin(input: PasswordInput): Promise<string> } = {
  async begin(input) {
    return (await tokenOf(await send('POST', '/session', { body: JSON.stringify(input) })))!;
  },
  async renew() {
    const response = await send('POST', '/session/refresh');
    // A server or a proxy that cannot answer for now says nothing of the session.
    if (response.status >= 500 || response.status === 429) throw noAnswer(response);
    return tokenOf(response);
  },
  async end() {
    const response = await send('DELETE', '/session', { signal: AbortSignal.timeout(longestEndMs), keepalive: true });
    if (!response.ok) throw refusalOf(response, await read(response));
  },
};

/** An answer of the routes of the session. A proxy may answer with a page of its own: that has neither. */
interface Answer {
  readonly accessToken?: string;
  readonly errors?: readonly ResponseError[];
}

/** @throws RefusedError with the API's own words; ConnectionError for an answer that is not of this API */
async function tokenOf(response: Response): Promise<string | undefined> {
  if (response.status === 204) return undefined;
  const answer = await read(response);
  if (answer.accessToken === undefined) throw refusalOf(response, answer);
  return answer.accessToken;
}

const read = async (response: Response): Promise<Answer> =>
  ((await response.json().catch(() => undefined)) ?? {}) as Answer;
const refusalOf = (response: Response, { errors }: Answer): Error =>
  errors ? new RefusedError(errors) : noAnswer(response);
const noAnswer = ({ status }: Response): ConnectionError => new ConnectionError(`RiskGraph answers ${status}.`, status);

/** @throws ConnectionError when nothing answers */
async function send(
  method: string,
  path: string,
  options: { readonly body?: string; readonly signal?: AbortSignal; readonly keepalive?: boolean } = {},
): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: { 'x-riskgraph-console': '1', ...(options.body && { 'content-type': 'application/json' }) },
      ...options,
    });
  } catch (cause) {
    throw new ConnectionError('RiskGraph does not answer: check the network.', undefined, { cause });
  }
}
