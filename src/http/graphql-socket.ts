import { GraphQLError, getOperationAST, parse, validate, type ExecutionArgs, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { ServerOptions } from 'graphql-ws';
import { makeHandler, type Extra } from 'graphql-ws/use/@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Viewer } from '../auth/viewer.js';
import { recordDenials } from './denials.js';
import type { ErrorFormatter } from './error-format.js';
import { createOperationContext, identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import { answerPing, holdCredential, unidentified, type SocketCredential } from './socket-credential.js';

/** A reader that lets this much pile up in the socket is gone for good. */
export const largestSocketBacklogBytes = 4 * 1024 * 1024;

interface SocketState extends Extra {
  credential?: SocketCredential;
}

/**
 * Serves subscriptions over `graphql-transport-ws`, and nothing else: queries and mutations belong to HTTP, where
 * Apollo's own protections stand.
 */
export function createSocketHandler(schema: GraphQLSchema, sources: ContextSources, formatError: ErrorFormatter) {
  const format = async (errors: readonly GraphQLError[], viewer: Viewer | null | undefined): Promise<GraphQLFormattedError[]> => {
    const unwrapped = errors.map(unwrap);
    await recordDenials(sources.app.audit, viewer ?? null, unwrapped);
    return unwrapped.map(formatError);
  };

  const options: ServerOptions<Record<string, unknown>, SocketState> = {
    schema,
    async onConnect({ connectionParams, extra }) {
      const { id, ip } = extra.request;
      const caller = await identifyCaller(sources.app, connectionParams?.authorization ?? connectionParams?.Authorization, { requestId: id, address: ip });
      if (caller.authenticationFault) return unidentified(extra.socket, caller.authenticationFault);
      extra.credential = holdCredential(sources.app, extra.socket, caller);
      return true;
    },
    onPing: ({ extra }, payload) => answerPing(extra.socket, extra.credential, payload),
    onSubscribe({ extra }, _id, { query, variables, operationName }) {
      const document = parseOrErrors(query);
      if ('errors' in document) return document.errors;
      const faults = validate(schema, document);
      if (faults.length > 0) return faults;
      if (getOperationAST(document, operationName)?.operation !== 'subscription') {
        return [new GraphQLError('Only subscriptions are served over the WebSocket: send queries and mutations with POST /graphql.', { extensions: { code: 'BAD_REQUEST' } })];
      }
      const requestId = randomUUID();
      const contextValue = createOperationContext(sources, extra.credential!.callerOf(requestId), requestId);
      return { schema, document, variableValues: variables ?? undefined, operationName, contextValue } satisfies ExecutionArgs;
    },
    onOperation(_context, _id, _payload, _args, result) {
      // A subscription that was refused is answered with an error message, not with an event that holds errors.
      if (Symbol.asyncIterator in result || !('errors' in result) || !result.errors) return result;
      const [error] = result.errors;
      return (async function* refused() {
        yield* [];
        throw error;
      })();
    },
    async onNext(_context, _id, _payload, { contextValue }, { errors, ...result }) {
      return errors ? { ...result, errors: await format(errors, (contextValue as Caller).viewer) } : undefined;
    },
    onError: ({ extra }, _id, _payload, errors) => format(errors, extra.credential?.callerOf(randomUUID()).viewer),
    onClose({ extra }) {
      extra.credential?.release();
    },
  };
  const handler = makeHandler(options);
  return function handleSocket(this: FastifyInstance, socket: WebSocket, request: FastifyRequest): void {
    void handler.call(this, socket, request);
    // graphql-ws writes what goes wrong with a socket (a message that is too large, say) to the console; ws closes it anyway.
    socket.removeAllListeners('error');
    socket.on('error', (error: NodeJS.ErrnoException) => sources.app.logger.info({ code: error.code }, 'WebSocket'));
  };
}

/**
 * graphql-ws wraps what a stream throws once more, under the same message. What graphql-js wraps stays: a path says that
 * our own field went wrong, another message that there is more to say than the cause has.
 */
function unwrap(error: GraphQLError): GraphQLError {
  const { originalError, path } = error;
  return path === undefined && originalError instanceof GraphQLError && originalError.message === error.message ? unwrap(originalError) : error;
}

function parseOrErrors(query: string) {
  try {
    return parse(query);
  } catch (error) {
    return { errors: [error as GraphQLError] };
  }
}
