import type { GraphqlClient } from './graphql-client.js';
import type { Operation } from './post.js';
import type { Sink } from './transport.js';

/** Sends a query or mutation for a library that wants each operation as a stream. */
export const executeOnce =
  (client: GraphqlClient) =>
  (operation: Operation, sink: Sink): (() => void) => {
    const controller = new AbortController();
    client.execute(operation, controller.signal).then(
      (result) => {
        sink.next(result);
        sink.complete();
      },
      (error: Error) => controller.signal.aborted || sink.error(error),
    );
    return () => controller.abort();
  };
