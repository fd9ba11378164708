import type { FastifyReply, FastifyRequest } from 'fastify';
import { getOperationAST, type DocumentNode } from 'graphql';
import type { ServerResponse } from 'node:http';
import type { App } from '../app.js';
import { BadUserInputError, RateLimitedError, ServiceUnavailableError, UnauthenticatedError } from '../errors.js';
import { logError } from '../process/logger.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import type { Connections } from './connections.js';
import type { ErrorFormatter } from './error-format.js';
import type { Caller } from './operation-context.js';
import type { Places } from './places.js';
import type { DocumentRequest } from './persisted-queries.js';
import { documentRequestOf, isObject, parseJson } from './request-admission.js';
import { announcedBytes, largestAnonymousBytes, streamBodyTooLarge } from './request-errors.js';
import { holdCredential } from './socket-credential.js';
import type { Unread } from './socket-limits.js';
import { wantedFormat, wantsOnlyEvents, type StreamFormat } from './stream-format.js';
import { refusalsOf, type SubscriptionAdmission } from './subscription-admission.js';
import type { SubscriptionCaps } from './subscription-caps.js';
import { eventIdOf, type Subscribe } from './subscription-events.js';
import type { WrittenEvents } from './written-events.js';

/** Time between two heartbeats, milliseconds. A client that has read nothing for two of them is disconnected. */
const heartbeatMs = 12_000;
/** Time after which a refused client may try again, seconds. */
const retryAfterSeconds = 10;
/** Characters of the id of an event at most. */
const longestEventId = 200;

interface StreamDependencies {
  readonly app: Pick<App, 'identity' | 'logger'>;
  readonly documents: AdmittedDocuments;
  readonly admission: SubscriptionAdmission;
  readonly subscribe: Subscribe;
  /** The events that it has written already. */
  readonly written: WrittenEvents;
  readonly places: Places;
  readonly caps: SubscriptionCaps | undefined;
  readonly connections: Connections;
  readonly unread: Unread;
  readonly formatError: ErrorFormatter;
}

/** Serves subscriptions as the answer to a request, for networks where WebSockets do not pass. */
interface SubscriptionStreams {
  /** The format in which a request wants its subscription. Undefined: Apollo Server is to answer it. */
  formatFor(request: FastifyRequest): StreamFormat | undefined;
  /** Answers with a stream, until the subscription or the credential ends. */
  serve(request: FastifyRequest, reply: FastifyReply, format: StreamFormat): Promise<void>;
  /**
   * Ends all streams without a completion: their clients connect again, to another server if there is one.
   * @param overMs milliseconds over which the ends are spread
   */
  close(overMs: number): void;
}

/**
 * Creates the streams. The request has passed the admission of requests before. A stream then has these steps:
 *
 * 1. Give back the place of the connection, and take one among those of the WebSockets.
 * 2. Watch the credential. The stream ends with it: over HTTP a client renews it with another request, which resumes.
 * 3. Admit the subscription as over a WebSocket, and begin it.
 * 4. Write each event when the one before it has left. So a slow reader gets folded progress, and holds one event.
 * 5. Give everything back when the client leaves or the subscription ends.
 *
 * A refusal is an event with errors, and the end: the format is what the client can read.
 */
export function createSubscriptionStreams(dependencies: StreamDependencies): SubscriptionStreams {
  const { app, documents, admission, subscribe, written, places, caps, connections, unread, formatError } =
    dependencies;
  const responses = new Set<ServerResponse>();

  function takePlace(holder: { end(): void }, { viewer }: Caller): void {
    const refusal = viewer && places.prove(holder, viewer);
    if (refusal === 'process')
      throw new ServiceUnavailableError(
        'This server has no place for another stream: try again in a moment, on another server if there is one.',
      );
    if (refusal)
      throw new RateLimitedError(
        `Too many sockets and streams of this ${refusal}: close some, or try again in a moment.`,
        retryAfterSeconds,
      );
  }

  async function serve(request: FastifyRequest, reply: FastifyReply, format: StreamFormat): Promise<void> {
    // The content of a body is kept as long as the stream lasts.
    if (announcedBytes(request.raw) > largestAnonymousBytes) throw streamBodyTooLarge();
    const caller = request.caller!;
    const { raw } = reply;
    begin(reply, format);
    // The client may have left before. Then no end of the answer would follow.
    if (raw.destroyed) return;
    responses.add(raw);
    connections.leave(request.raw.socket);
    const holder = { end: () => void raw.destroy() };
    const payload = payloadOf(request);
    let events: AsyncGenerator<unknown> | undefined;
    let opening = format.opening;
    const writeNext = createWriter(raw, unread, caller.viewer !== null);
    const write = (text: string): Promise<void> => {
      const whole = opening + text;
      opening = '';
      return writeNext(whole);
    };
    const credential = holdCredential(app, caller, {
      isOpen: () => !raw.destroyed,
      end(reason) {
        raw.end(
          opening +
            format.broken([formatError(new UnauthenticatedError(`The stream has ended: ${reason}.`), request.id)]),
        );
      },
    });
    const stopBeating = beat(raw, format);
    raw.once('close', () => {
      stopBeating();
      responses.delete(raw);
      credential.release();
      places.leave(holder);
      caps?.close(payload);
      events?.return(undefined).catch((error: unknown) => logError(app.logger, error, 'end of a stream of events'));
    });

    try {
      takePlace(holder, caller);
      const current = credential.callerOf(request.id);
      checkVariables(payload);
      const admitted = await admission.admit({
        caller: current,
        requestId: request.id,
        connection: raw,
        payload,
      });
      admitted.contextValue.lastEventId = lastEventOf(request);
      const began = await subscribe(admitted);
      if (!(Symbol.asyncIterator in began)) throw began.errors?.[0] ?? new Error('the subscription did not begin');
      events = began;
      if (raw.destroyed || raw.writableEnded) return void (await began.return(undefined));
      await write(format.begun(admitted.contextValue.startCursor));
      for await (const event of began) {
        if (raw.writableEnded) return;
        const errors = event.errors && (await admission.format(event.errors, caller));
        const data = written.textOf(event.data) ?? JSON.stringify(event.data ?? null);
        const { extensions } = event;
        // The data is text already.
        const shown = `${JSON.stringify({ errors, extensions, data: null }).slice(0, -'null}'.length)}${data}}`;
        await write(format.event(shown, eventIdOf(event)));
      }
    } catch (thrown) {
      const errors = await admission.format(refusalsOf(thrown), caller);
      if (!raw.writableEnded) await write(format.event(JSON.stringify({ errors }), undefined));
    }
    if (!raw.writableEnded) raw.end(format.end);
  }

  return {
    formatFor(request) {
      const { accept } = request.headers;
      const format = wantedFormat(accept);
      return format && (wantsOnlyEvents(accept) || isSubscription(request, documents)) ? format : undefined;
    },
    serve,
    close(overMs) {
      for (const response of responses) {
        const end = (): void => void response.end();
        if (overMs === 0) end();
        else setTimeout(end, Math.random() * overMs).unref();
      }
    },
  };
}

/** Sends the headers. They keep proxies from holding events back. */
function begin(reply: FastifyReply, { contentType }: StreamFormat): void {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.setHeader('content-type', contentType);
  raw.setHeader('cache-control', 'no-cache, no-transform');
  raw.setHeader('x-accel-buffering', 'no');
  // The place of the connection is gone.
  raw.setHeader('connection', 'close');
  raw.on('error', () => raw.destroy());
}

/**
 * Creates a function that writes a text, and resolves when it has left or the client is gone. A client that leaves too
 * much unread is disconnected.
 */
function createWriter(raw: ServerResponse, unread: Unread, isProven: boolean): (text: string) => Promise<void> {
  // A write whose connection ends may never be called back.
  let finish = (): void => undefined;
  raw.once('close', () => finish());
  return (text) =>
    new Promise((resolve) => {
      if (raw.destroyed || raw.writableEnded) return resolve();
      const sent = unread.begin(raw.writableLength, Buffer.byteLength(text), isProven);
      if (!sent) {
        raw.destroy();
        return resolve();
      }
      finish = () => {
        finish = () => undefined;
        sent();
        resolve();
      };
      raw.write(text, finish);
    });
}

/** Sends heartbeats while nothing else waits. @returns a function that stops them */
function beat(raw: ServerResponse, format: StreamFormat): () => void {
  let hadWaited = false;
  const timer = setInterval(() => {
    const waits = raw.writableLength > 0;
    if (waits && hadWaited) return void raw.destroy();
    hadWaited = waits;
    if (!waits && !raw.writableEnded) raw.write(format.heartbeat);
  }, heartbeatMs);
  return () => clearInterval(timer);
}

interface StreamPayload extends DocumentRequest {
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** Reads the operation of a request. What has another type than it should counts as absent. */
function payloadOf({ method, body, query }: FastifyRequest): StreamPayload {
  const given = ((method === 'GET' ? query : body) ?? {}) as Record<string, unknown>;
  const read = (value: unknown): unknown => (method === 'GET' && typeof value === 'string' ? parseJson(value) : value);
  return {
    ...documentRequestOf({ method, body, query }),
    operationName: typeof given.operationName === 'string' ? given.operationName : undefined,
    variables: read(given.variables) as StreamPayload['variables'],
  };
}

function checkVariables({ variables }: StreamPayload): void {
  if (variables === undefined || variables === null || isObject(variables)) return;
  throw new BadUserInputError([{ path: 'variables', message: 'must be a JSON object' }]);
}

/** The id of the event after which an EventSource resumes. */
function lastEventOf({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  if (typeof id === 'string' && id.length <= longestEventId) return id;
  throw new BadUserInputError([{ path: 'Last-Event-ID', message: 'is too long for the id of an event' }]);
}

function isSubscription(request: FastifyRequest, documents: AdmittedDocuments): boolean {
  const payload = payloadOf(request);
  const document = documents.admit(payload);
  return (
    document !== undefined &&
    !Array.isArray(document) &&
    getOperationAST(document as DocumentNode, payload.operationName)?.operation === 'subscription'
  );
}
