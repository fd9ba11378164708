import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { connectSocket } from '../support/raw-socket.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

/** Number of subscriptions that the API serves, by its own metric. */
async function openSubscriptions(): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  return [...text.matchAll(/^riskgraph_subscriptions\{[^}]*\} (\d+)/gm)].reduce(
    (total, [, count]) => total + Number(count),
    0,
  );
}

const subscribe = { type: 'subscribe', id: 'events', payload: { query: 'subscription { predictionCreated { id } }' } };

test('the server closes a client that stops reading, and keeps the clients that read', async () => {
  const reading = await connectSocket(system.url, token);
  reading.send(subscribe);
  const stopped = new WebSocket(`${system.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  onTestFinished(() => stopped.terminate());
  await new Promise((resolve) => stopped.once('open', resolve));
  stopped.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await new Promise((resolve) => stopped.once('message', resolve));
  stopped.send(JSON.stringify(subscribe));
  await expect.poll(openSubscriptions).toBe(2);
  stopped.pause();
  await expect.poll(openSubscriptions, { timeout: 60_000 }).toBe(1);
  reading.send({ type: 'subscribe', id: 'marker', payload: { query: 'subscription { nothing }' } });
  expect(await reading.next()).toMatchObject({ type: 'error', id: 'marker' });
});
