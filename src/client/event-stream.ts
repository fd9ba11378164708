import type { Credential } from './credential.js';
import { GraphqlRequestError, type Result } from './errors.js';
import { read, send, type Posting } from './post.js';
import { Break, type Transport } from './transport.js';

/** Longest silence, milliseconds. The API sends something every twelve seconds. */
const silenceMs = 30_000;

/**
 * Carries each subscription over a response of its own (server-sent events, graphql-sse's "distinct connections"). It
 * is for networks where WebSockets do not pass, and for Node.js before version 22.
 * @param options.onOutcome called for each response: true when the API has accepted it, false when it failed before
 */
export function createEventStreamTransport(options: {
  readonly posting: Posting;
  readonly credential: Credential;
  readonly onOutcome: (accepted: boolean) => void;
}): Transport {
  const running = new Set<AbortController>();
  return {
    subscribe(operation, sink, refused) {
      const controller = new AbortController();
      const { signal } = controller;
      running.add(controller);
      let token: string | undefined;
      let established = false;
      let silence: NodeJS.Timeout | undefined;
      const listen = (): void => {
        clearTimeout(silence);
        silence = setTimeout(() => controller.abort(), silenceMs);
      };
      const broken = (message: string, refusedToken?: string): Break =>
        new Break(message, undefined, established, refusedToken);

      async function run(): Promise<void> {
        listen();
        token = await options.credential.token(refused);
        const response = await send(options.posting, operation, { token, accept: 'text/event-stream', signal });
        if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
          throw new GraphqlRequestError((await read(response)).errors ?? []);
        options.onOutcome(true);
        for await (const { event, data, id } of eventsOf(response.body!, listen)) {
          if (!running.has(controller)) return;
          if (id !== undefined && !data) sink.begun(id);
          if (event === 'complete') return sink.complete();
          const result = data ? (JSON.parse(data) as Result) : undefined;
          if (!result?.data && result?.errors?.[0]?.extensions?.code === 'UNAUTHENTICATED')
            throw broken(result.errors[0].message, token);
          established = true;
          if (result) sink.next(result);
        }
        throw broken('The stream of events broke off.');
      }
      run()
        .catch((error: Error) => {
          // Without a code this was the end of a stream, or the silence of one.
          const isKnown = error instanceof Break || error instanceof GraphqlRequestError;
          if (!isKnown && !established) options.onOutcome(false);
          if (running.has(controller))
            sink.error(isKnown ? error : broken(`The stream of events broke off: ${error.message}`));
        })
        .finally(() => {
          clearTimeout(silence);
          running.delete(controller);
        });
      return () => {
        running.delete(controller);
        controller.abort();
      };
    },
    close() {
      running.forEach((controller) => controller.abort());
      running.clear();
    },
  };
}

interface StreamEvent {
  readonly event?: string;
  /** Empty for a comment, and for the id of the place where the subscription begins. */
  readonly data: string;
  /** Undefined for an event without one, such as a heartbeat. */
  readonly id?: string;
}

/** Reads server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
async function* eventsOf(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      const blocks = (text + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      text = blocks.pop()!;
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
        yield { event: field('event'), data: field('data') ?? '', id: field('id') };
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
