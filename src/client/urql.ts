import { subscriptionExchange, type Exchange } from '@urql/core';
import { executeOnce } from './execute-once.js';
import type { GraphqlClient } from './graphql-client.js';

/**
 * A terminating exchange for urql: `new Client({ url, exchanges: [cacheExchange, riskGraphExchange(client)] })`. Queries
 * and mutations go over HTTP with the client's token. Subscriptions resume after a break.
 */
export const riskGraphExchange = (client: GraphqlClient): Exchange =>
  subscriptionExchange({
    enableAllOperations: true,
    forwardSubscription: ({ query = '', variables, operationName }, { kind }) => ({
      subscribe: (sink) => ({
        unsubscribe: (kind === 'subscription' ? client.observe : executeOnce(client))(
          { query, variables, operationName },
          sink as never,
        ),
      }),
    }),
  });
