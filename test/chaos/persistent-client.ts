import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { GraphqlRequestError } from '../../src/client/errors.js';
import { createClient, type GraphqlClient } from '../../src/client/graphql-client.js';
import { ScoringJobUpdatedDocument, type ScoringJobUpdatedSubscription } from '../../src/client/generated/graphql.js';

/** Errors that pass: the client tries again. */
const passing = new Set(['SERVICE_UNAVAILABLE', 'INTERNAL']);

/** A client as a careful integrator writes it: it tries again, on another node, until it has an answer. */
export interface PersistentClient {
  request: GraphqlClient['request'];
  /**
   * Follows a job to its end. After a lost connection it resumes behind the last change that it has seen.
   * @returns the last state, the errors in the sequence numbers, and the number of connections
   */
  follow(jobId: string): Promise<{ readonly state: string; readonly errors: string[]; readonly connections: number }>;
  /** Closes every socket, as a load balancer or a network does. */
  cut(): Promise<void>;
  readonly retries: () => number;
  close(): Promise<void>;
}

/** @param onFailure gets each request that failed and is repeated, and its duration in milliseconds */
export function createPersistentClient(
  urls: readonly string[],
  token: string,
  onFailure: (error: unknown, milliseconds: number) => void = () => undefined,
): PersistentClient {
  // Without attempts of its own: the next one goes to another node.
  const clientOf = (url: string): GraphqlClient => createClient({ url, token, webSocket: WebSocket, attempts: 0 });
  let nodes = urls.map(clientOf);
  let turn = 0;
  let retries = 0;
  const node = (): GraphqlClient => nodes[turn++ % nodes.length]!;

  async function cut(): Promise<void> {
    const old = nodes;
    nodes = urls.map(clientOf);
    await Promise.all(old.map((client) => client.close()));
  }

  return {
    cut,
    retries: () => retries,
    close: cut,
    async request(document, variables) {
      for (;;) {
        const begun = performance.now();
        try {
          return await node().request(document, variables);
        } catch (error) {
          if (error instanceof GraphqlRequestError && !passing.has(error.code ?? '')) throw error;
          retries += 1;
          onFailure(error, performance.now() - begun);
          await delay(100 + 200 * Math.random());
        }
      }
    },
    async follow(id) {
      const errors: string[] = [];
      let last = 0;
      for (let connections = 1; ; connections += 1) {
        try {
          for await (const { scoringJobUpdated } of node().subscribe(ScoringJobUpdatedDocument, {
            id,
            after: last === 0 ? undefined : last,
          })) {
            errors.push(...sequenceErrors(scoringJobUpdated, last));
            last = scoringJobUpdated.sequence;
            const { state, finishedAt } = scoringJobUpdated.job;
            if (finishedAt) return { state, errors, connections };
          }
        } catch (error) {
          if (error instanceof GraphqlRequestError && !passing.has(error.code ?? '')) {
            return { state: 'UNKNOWN', errors: [...errors, `refused: ${error.message}`], connections };
          }
        }
        // The node or the socket is gone: connect to another node.
        await delay(100 + 200 * Math.random());
      }
    },
  };
}

function sequenceErrors(
  { sequence, collapsed }: ScoringJobUpdatedSubscription['scoringJobUpdated'],
  last: number,
): string[] {
  return sequence === last + 1 + collapsed ? [] : [`change ${sequence} with ${collapsed} collapsed came after ${last}`];
}
