import type { ApolloServerPlugin, GraphQLRequestListener } from '@apollo/server';
import type { createOperationContext } from './operation-context.js';

type Context = ReturnType<typeof createOperationContext>;
type Listener = GraphQLRequestListener<Context>;
type Stage = 'didResolveOperation' | 'didEncounterErrors' | 'willSendResponse';
type At<Name extends Stage> = Parameters<NonNullable<Listener[Name]>>[0];

/**
 * What a part of the server does at the stages of each operation. The stages have the names that Apollo Server gives them.
 * The next stage waits for the promises of this one. https://www.apollographql.com/docs/apollo-server/integrations/plugins
 */
export type OperationStages = {
  readonly [Name in Stage]?: (at: At<Name>) => void | Promise<void>;
};

/**
 * Makes one plug-in of many parts. Apollo Server makes promises for each plug-in at each stage of each operation, whether
 * it has something to do or not.
 * @param parts run at each stage in this order, and those that wait do so at the same time
 * @param respond executes the operation
 */
export function stagesPlugin(
  parts: readonly OperationStages[],
  respond: NonNullable<Listener['responseForOperation']>,
): ApolloServerPlugin<Context> {
  function together<Name extends Stage>(name: Name): (at: At<Name>) => Promise<void> {
    const own = parts.flatMap((part) => part[name] ?? []);
    return async (at) => {
      const waits = own.map((run) => begin(run, at)).filter((wait) => wait !== undefined);
      if (waits.length > 0) await Promise.all(waits);
    };
  }
  const listener: Listener = {
    didResolveOperation: together('didResolveOperation'),
    didEncounterErrors: together('didEncounterErrors'),
    willSendResponse: together('willSendResponse'),
    responseForOperation: respond,
  };
  return { requestDidStart: async () => listener };
}

/** Runs a part. One that throws at once stops none of the others. */
function begin<T>(run: (at: T) => void | Promise<void>, at: T): void | Promise<void> {
  try {
    return run(at);
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
