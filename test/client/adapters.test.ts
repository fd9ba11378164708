import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { Client as UrqlClient, fetchExchange } from '@urql/core';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { riskGraphLink } from '../../src/client/apollo.js';
import { createClient, type GraphqlClient } from '../../src/client/graphql-client.js';
import type { JobEvent } from '../../src/client/submit.js';
import { riskGraphExchange } from '../../src/client/urql.js';
import { changingJob, ruleBreaks } from '../support/changing-job.js';
import { startFlakyProxy } from '../support/flaky-proxy.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const subscription = /* GraphQL */ `
  subscription ($id: ID!, $after: Int) {
    scoringJobUpdated(id: $id, after: $after) {
      sequence
      collapsed
      job {
        id
        state
      }
    }
  }
`;
const viewer = '{ viewer { username role } }';

interface Following {
  next(event: JobEvent): void;
  error(error: unknown): void;
  end(): void;
}

/** One library with the adapter: reads the viewer, and follows a job. */
interface Adapted {
  viewer(query: string): Promise<unknown>;
  /** @returns a function that ends it */
  follow(id: string, following: Following): () => void;
}

function apollo(client: GraphqlClient): Adapted {
  const library = new ApolloClient({ cache: new InMemoryCache(), link: riskGraphLink(client) });
  onTestFinished(() => library.stop());
  return {
    viewer: async (query) => (await library.query({ query: gql(query), fetchPolicy: 'no-cache' })).data,
    follow(id, { next, error, end }) {
      const following = library
        .subscribe<{ scoringJobUpdated: JobEvent }>({ query: gql(subscription), variables: { id } })
        .subscribe({
          next: (result) => (result.error ? error(result.error) : next(result.data!.scoringJobUpdated)),
          error,
          complete: end,
        });
      return () => following.unsubscribe();
    },
  };
}

function urql(client: GraphqlClient): Adapted {
  const library = new UrqlClient({
    url: `${system.url}/graphql`,
    preferGetMethod: false,
    exchanges: [riskGraphExchange(client), fetchExchange],
  });
  return {
    async viewer(query) {
      const { data, error } = await library.query(query, {}).toPromise();
      if (error) throw error;
      return data;
    },
    follow(id, { next, error, end }) {
      const { unsubscribe } = library
        .subscription<{ scoringJobUpdated: JobEvent }>(subscription, { id })
        .subscribe((result) => {
          if (result.error) return error(result.error);
          // urql repeats the last result to say that there is no further one.
          if (result.hasNext) next(result.data!.scoringJobUpdated);
          else end();
        });
      return unsubscribe;
    },
  };
}

test.each([
  ['Apollo Client', apollo],
  ['urql', urql],
])('%s follows a job over a network that is cut, and reads with the same token', async (_name, adapt) => {
  const network = await startFlakyProxy(system.url, { seed: 11, fates: ['cut', 'reset'], bytes: [400, 3000] });
  const client = createClient({ url: network.url, token: await system.token('CLINICIAN'), webSocket: WebSocket });
  onTestFinished(() => client.close());
  const adapted = adapt(client);
  const job = await changingJob(system);
  const events: JobEvent[] = [];
  await new Promise<void>((resolve, reject) => {
    adapted.follow(job.id, {
      next(event) {
        events.push(event);
        (events.length < 30 ? job.advance() : job.complete()).catch(reject);
      },
      error: reject,
      end: resolve,
    });
  });
  expect(ruleBreaks(events)).toEqual([]);
  expect(events.at(-1)!.job.state).toBe('COMPLETED');
  expect(network.broken).toBeGreaterThan(2);
  network.calm();
  expect(await adapted.viewer(viewer)).toMatchObject({ viewer: { username: 'the-clinician' } });
  await expect(adapted.viewer('{ patients(filter: { sex: MALE }, first: -1) { totalCount } }')).rejects.toThrow();
});

test.each([
  ['Apollo Client', apollo],
  ['urql', urql],
])('%s ends a subscription on the server when its caller leaves', async (_name, adapt) => {
  const client = createClient({ url: system.url, token: await system.token('CLINICIAN'), webSocket: WebSocket });
  onTestFinished(() => client.close());
  const job = await changingJob(system);
  const first = await new Promise<JobEvent>((resolve, reject) => {
    const leave = adapt(client).follow(job.id, {
      next(event) {
        resolve(event);
        setTimeout(() => leave());
      },
      error: reject,
      end: () => undefined,
    });
  });
  expect(first.sequence).toBe(2);
  await expect
    .poll(async () => (await fetch(`${system.url}/metrics`)).text())
    .toContain('riskgraph_subscriptions{kind="scoringJobUpdated"} 0');
});
