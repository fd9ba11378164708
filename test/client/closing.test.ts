import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { createClient } from '../../src/client/graphql-client.js';

const followed = 'subscription ($id: ID!) { scoringJobUpdated(id: $id) { sequence } }';

test.each([
  ['WebSocket', WebSocket],
  ['server-sent events', false],
] as const)('over %s, a client that closes ends its subscriptions for those who wait', async (_name, webSocket) => {
  // A server that says nothing.
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createClient({ url: `http://127.0.0.1:${port}`, token: 'x', webSocket });
  const waiting = client.subscribe(followed, { id: 'a' }).next();
  const told: string[] = [];
  client.observe(
    { query: followed },
    { next: () => undefined, error: () => told.push('error'), complete: () => told.push('complete') },
  );
  const [socket] = (await once(server, 'connection')) as [Socket];
  await client.close();
  socket.destroy();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(told).toEqual(['complete']);
});

test('a client that closes before its socket is open closes it once it is: a browser would log an error', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const states: number[] = [];
  const closing = new Promise<void>((resolve) => {
    class Watched extends WebSocket {
      override close(code: number): void {
        states.push(this.readyState);
        super.close(code);
      }
    }
    const { port } = server.address() as AddressInfo;
    const client = createClient({ url: `http://127.0.0.1:${port}`, webSocket: Watched });
    client.observe({ query: followed }, { next: () => undefined, error: () => undefined, complete: () => undefined });
    // The socket is made in the turn of the event loop after this one, and is not open then.
    setImmediate(() => resolve(client.close()));
  });
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  const [code] = (await once(socket, 'close')) as [number];
  await closing;
  expect(code).toBe(1000);
  expect(states[0]).toBe(WebSocket.OPEN);
});
