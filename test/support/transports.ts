import type { ResponseError } from '../../src/client/errors.js';
import { connectSocket, type SocketMessage } from './raw-socket.js';
import type { System } from './system.js';

/** One request, for any transport. */
export interface GraphqlRequest {
  readonly query?: string;
  readonly variables?: object;
  readonly operationName?: string;
  readonly extensions?: object;
}

/** The whole answer as text, and the errors in it. */
interface Reply {
  readonly text: string;
  readonly errors: readonly ResponseError[];
  /** Status code; only over HTTP. */
  readonly status?: number;
}

/** Sends a request over one transport. */
type Send = (system: Pick<System, 'url'>, request: GraphqlRequest, token?: string) => Promise<Reply>;

const overHttp: Send = async ({ url }, request, token) => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  return { text, errors: (JSON.parse(text) as { errors?: ResponseError[] }).errors ?? [], status: response.status };
};

const overGet: Send = async ({ url }, { query, ...rest }, token) => {
  const parameters = new URLSearchParams(query === undefined ? {} : { query });
  for (const [name, value] of Object.entries(rest))
    parameters.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  const response = await fetch(`${url}/graphql?${parameters.toString()}`, {
    headers: { 'apollo-require-preflight': 'yes', ...(token && { authorization: `Bearer ${token}` }) },
  });
  const text = await response.text();
  return { text, errors: (JSON.parse(text) as { errors?: ResponseError[] }).errors ?? [], status: response.status };
};

/** Sends a subscription. @returns the first answer: an error, an event, or the end */
const overWebSocket: Send = async ({ url }, request, token) => {
  const socket = await connectSocket(url, token);
  socket.send({ type: 'subscribe', id: '1', payload: { query: '', ...request } });
  const message: SocketMessage = await socket.next();
  return {
    text: JSON.stringify(message),
    errors: message.type === 'error' ? (message.payload as ResponseError[]) : [],
  };
};

/** Sends a subscription, and reads up to the first event of the stream. */
const overStream =
  (accept: string, event: RegExp): Send =>
  async ({ url }, request, token) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        accept,
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: '', ...request }),
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (event.test(text)) break;
    }
    const [, json = text] = event.exec(text) ?? [];
    const result = JSON.parse(json) as { errors?: ResponseError[] };
    return { text, errors: result.errors ?? [] };
  };

/** The header with which Apollo Client asks for a subscription. */
export const multipartAccept = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json';

/** Tells whether a transport carries subscriptions, and nothing else. */
export const isForSubscriptions = (transport: string): boolean => !transport.startsWith('HTTP');

/** Every transport, by its name: for `test.each`. */
export const transports: readonly (readonly [string, Send])[] = [
  ['HTTP', overHttp],
  ['HTTP GET', overGet],
  ['WebSocket', overWebSocket],
  ['server-sent events', overStream('text/event-stream', /^data: (\{.*\})\n/m)],
  ['multipart', overStream(multipartAccept, /^\{"payload":(\{.*\})\}\r\n/m)],
];

export const codesOfReply = ({ errors }: Reply): (string | undefined)[] =>
  errors.map(({ extensions }) => extensions?.code);
