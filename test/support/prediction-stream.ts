import { Types } from 'mongoose';
import { expect } from 'vitest';
import type { Prediction, PredictionBlock } from '../../models/index.js';
import type { ResponseError } from '../../src/client/errors.js';
import { predictionId } from '../../src/predictions/prediction-block.js';
import { connectSocket } from './raw-socket.js';
import type { System } from './system.js';
import { multipartAccept } from './transports.js';

/** The ids of all stored predictions of an organization, in no order. */
export async function storedIds(system: System, slug?: string): Promise<string[]> {
  const { predictions, predictionBlocks } = system.app.models;
  const organization = new Types.ObjectId(await system.organizationId(slug));
  const singles = await predictions.find({ organization }, { _id: 1 }).lean<Pick<Prediction, '_id'>[]>();
  const blocks = await predictionBlocks
    .find({ organization }, { 'rows.number': 1 })
    .lean<Pick<PredictionBlock, '_id' | 'rows'>[]>();
  return [
    ...singles.map(({ _id }) => _id),
    ...blocks.flatMap(({ _id, rows }) => rows.map(({ number }) => predictionId(_id, number))),
  ].map((id) => id.toHexString());
}

/** Number of subscriptions to new predictions that an API serves, by its own metric. */
export async function followersAt(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^riskgraph_subscriptions\{kind="predictionCreated"\} (\d+)/m.exec(text)?.[1]);
}

/** An event of predictionCreated. */
export interface Created {
  readonly id: string;
  readonly cursor: string;
}

export const createdQuery = /* GraphQL */ `
  subscription ($after: String, $patientId: ID) {
    predictionCreated(after: $after, patientId: $patientId) {
      id
      cursor
    }
  }
`;

/** The predictions to take. */
interface Wanted {
  readonly after?: string | null;
  readonly patientId?: string;
  /** Token of the subscriber. */
  readonly as?: string;
  /** Called when the subscription is running. */
  readonly meanwhile?: () => Promise<unknown>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Follows new predictions, and gives the first of them. @throws the first error of an event */
type Take = (count: number, wanted?: Wanted) => Promise<Created[]>;

function eventOf(result: { data?: { predictionCreated: Created } | null; errors?: readonly ResponseError[] }): Created {
  if (result.errors) throw Object.assign(new Error(result.errors[0]!.message), result.errors[0]!.extensions);
  return result.data!.predictionCreated;
}

/** Ways to follow the new predictions of a system. */
export function takers(system: System) {
  const token = () => system.token('CLINICIAN');

  const overWebSocket: Take = async (count, { as, meanwhile, ...variables } = {}) => {
    const socket = await connectSocket(system.url, as ?? (await token()));
    socket.send({ type: 'subscribe', id: '1', payload: { query: createdQuery, variables } });
    if (meanwhile) await expect.poll(() => followersAt(system.url)).toBe(1);
    await meanwhile?.();
    const events: Created[] = [];
    while (events.length < count) {
      const { type, payload } = await socket.next();
      events.push(eventOf(type === 'error' ? { errors: payload as ResponseError[] } : (payload as object)));
    }
    socket.close();
    await socket.closed;
    return events;
  };

  /** @param pattern finds the result in each part of the answer */
  const overStream =
    (accept: string, pattern: RegExp): Take =>
    async (count, { as, meanwhile, headers, ...variables } = {}) => {
      const abort = new AbortController();
      const response = await fetch(`${system.url}/graphql`, {
        method: 'POST',
        headers: {
          accept,
          'content-type': 'application/json',
          authorization: `Bearer ${as ?? (await token())}`,
          ...headers,
        },
        body: JSON.stringify({ query: createdQuery, variables }),
        signal: abort.signal,
      });
      if (meanwhile) await expect.poll(() => followersAt(system.url)).toBe(1);
      await meanwhile?.();
      let text = '';
      const events: Created[] = [];
      const decoder = new TextDecoder();
      for await (const chunk of response.body!) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
          events.push(eventOf(JSON.parse(found[1]!) as object));
          text = text.slice(found.index + found[0].length);
        }
        if (events.length >= count) break;
      }
      abort.abort();
      return events.slice(0, count);
    };
  const overEvents = overStream('text/event-stream', /^data: (\{.*\})\n/m);
  const transports: readonly (readonly [string, Take])[] = [
    ['a WebSocket', overWebSocket],
    ['server-sent events', overEvents],
    ['multipart', overStream(multipartAccept, /^\{"payload":(\{.*\})\}\r\n/m)],
  ];
  return { overWebSocket, overEvents, transports };
}
