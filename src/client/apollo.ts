import { ApolloLink, Observable } from '@apollo/client/core';
import { getOperationAST, print } from 'graphql';
import { executeOnce } from './execute-once.js';
import type { GraphqlClient } from './graphql-client.js';

/**
 * A terminating link for Apollo Client: `new ApolloClient({ link: riskGraphLink(client), cache })`. Queries and
 * mutations go over HTTP with the client's token. Subscriptions resume after a break.
 */
export function riskGraphLink(client: GraphqlClient): ApolloLink {
  return new ApolloLink(
    ({ query, variables, operationName }) =>
      new Observable((observer) => {
        const isSubscription = getOperationAST(query, operationName)?.operation === 'subscription';
        return (isSubscription ? client.observe : executeOnce(client))(
          { query: print(query), variables, operationName },
          {
            next: (result) => observer.next(result as ApolloLink.Result),
            error: (error) => observer.error(error),
            complete: () => observer.complete(),
          },
        );
      }),
  );
}
