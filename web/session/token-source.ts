import { ConnectionError, type ResponseError } from '../../src/client/errors.js';
import { RefusedError } from './refused-error.js';

/** Gives access tokens: the session of this server, or an identity provider. */
export interface TokenSource {
  /** Gives a new access token. Undefined when the session is over. @throws ConnectionError */
  renew(): Promise<string | undefined>;
  end(): Promise<void>;
}

/** What a password sign-in asks for. */
export interface PasswordInput {
  readonly organization: string;
  readonly username: string;
  readonly password: string;
}

/** The session of this server. Its refresh token is in a cookie that no script can read. */
export const cookieSource: TokenSource & { begin(input: PasswordInput): Promise<string> } = {
  async begin(input) {
    return (await tokenOf(await send('POST', '/session', input)))!;
  },
  async renew() {
    return tokenOf(await send('POST', '/session/refresh'));
  },
  async end() {
    await send('DELETE', '/session').catch(() => undefined);
  },
};

async function tokenOf(response: Response): Promise<string | undefined> {
  if (response.status === 204) return undefined;
  const answer = (await response.json()) as { readonly accessToken?: string; readonly errors?: ResponseError[] };
  if (answer.errors) throw new RefusedError(answer.errors);
  return answer.accessToken!;
}

/** @throws ConnectionError when nothing answers */
async function send(method: string, path: string, body?: object): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: { 'x-riskgraph-console': '1', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new ConnectionError('RiskGraph does not answer: check the network.', undefined, { cause });
  }
}
