import { ConnectionError, type Result } from './errors.js';

/** The text and variables of an operation, as they are sent. */
export interface Operation {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** The parts of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body: string; signal?: AbortSignal },
) => Promise<Response>;

/** How a request is sent. */
export interface Posting {
  readonly url: string;
  readonly fetch: Fetch;
}

/**
 * Sends one operation over HTTP.
 * @param accept media types that the caller understands
 * @throws ConnectionError when nothing answers; the reason of the signal
 */
export async function send(
  { url, fetch }: Posting,
  operation: Operation,
  options: { readonly token?: string; readonly accept?: string; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const { token, accept = 'application/json', signal } = options;
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(operation),
      signal,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ConnectionError(`No RiskGraph answers at ${new URL(url).origin}: check the address and the network.`, 0, {
      cause,
    });
  }
}

/** Reads the answer to an operation. @throws ConnectionError when it is not GraphQL, or breaks off */
export async function read<T>(response: Response): Promise<Result<T>> {
  try {
    const result = (await response.json()) as Result<T>;
    if (result.data || result.errors) return result;
  } catch {
    // A proxy may answer with a page of its own.
  }
  throw new ConnectionError(
    `The answer is not from RiskGraph, or broke off: status ${response.status}.`,
    response.status,
  );
}
