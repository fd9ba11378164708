import type { GraphQLFormattedError } from 'graphql';

/** The way in which events of a subscription are written into the answer to a request. */
export interface StreamFormat {
  readonly contentType: string;
  /** The first bytes of any stream. */
  readonly opening: string;
  /** One event. @param result as JSON @param id with which a client resumes behind it */
  event(result: string, id: string | undefined): string;
  /** Shows that the subscription has begun. @param id with which a client resumes that got no event yet */
  begun(id: string | undefined): string;
  /** Shows that the connection works. */
  readonly heartbeat: string;
  /** The end after the last event. */
  readonly end: string;
  /** The end of a stream whose token is no longer valid. */
  broken(errors: readonly GraphQLFormattedError[]): string;
}

/**
 * Server-sent events, as the "distinct connections mode" of graphql-sse has them. `id` lets a client that connects again
 * send `Last-Event-ID`.
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
const eventStream: StreamFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  opening: '',
  event: (result, id) => `${idLine(id)}event: next\ndata: ${result}\n\n`,
  // EventSource remembers the id of a message without data, and leaves the message out.
  begun: (id) => `:\n${idLine(id)}\n`,
  heartbeat: ':\n\n',
  // EventSource leaves out an event without data.
  end: 'event: complete\ndata: \n\n',
  broken: (errors) => `${eventStream.event(JSON.stringify({ errors }), undefined)}${eventStream.end}`,
};

const idLine = (id: string | undefined): string => (id === undefined ? '' : `id: ${id}\n`);

const part = (body: string): string => `\r\ncontent-type: application/json\r\n\r\n${body}\r\n--graphql`;

/**
 * Apollo's protocol for subscriptions over HTTP. Each boundary is written with the part before it, since a client reads
 * up to the next boundary.
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
 */
const multipart: StreamFormat = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  opening: '--graphql',
  event: (result) => part(`{"payload":${result}}`),
  begun: () => part('{}'),
  heartbeat: part('{}'),
  end: '--\r\n',
  broken: (errors) => `${part(JSON.stringify({ payload: null, errors }))}${multipart.end}`,
};

/** Chooses the format in which a request would read a subscription. Undefined: it reads plain answers alone. */
export function wantedFormat(accept = ''): StreamFormat | undefined {
  if (accept.includes('text/event-stream')) return eventStream;
  return /multipart\/mixed[^,]*subscriptionSpec="?1\.0/i.test(accept) ? multipart : undefined;
}

/**
 * Tells whether a client can read nothing but server-sent events. Others, such as urql, send the same `accept` with all
 * their operations, and want them for subscriptions alone.
 */
export const wantsOnlyEvents = (accept = ''): boolean =>
  wantedFormat(accept) === eventStream && !/application\/(\*|json|graphql(-response)?\+json)|\*\/\*/i.test(accept);

/** Tells whether an answer is such a stream, by its content type. */
export const isStream = (contentType: unknown): boolean =>
  contentType === eventStream.contentType || contentType === multipart.contentType;
