import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase } from '../../src/storage/database.js';
import { atEnd } from '../support/at-end.js';
import { namespace } from '../support/namespace.js';

const sockets = new Set<Socket>();
const note = (message: unknown): void => void sockets.add((message as { readonly socket: Socket }).socket);
beforeAll(() => subscribe('net.client.socket', note));
afterAll(() => void unsubscribe('net.client.socket', note));

/** A collection over one warm connection, and the sockets of its client. */
async function connected() {
  sockets.clear();
  const database = await connectDatabase(namespace().mongoUri);
  atEnd(() => database.close());
  const own = [...sockets];
  const things = database.collection<{ _id: number; text?: string }>('things');
  await things.insertOne({ _id: 1 });
  return { things, own };
}

test('a command that meets a connection which has ended a moment ago is sent again', async () => {
  const { things, own } = await connected();
  own.forEach((socket) => socket.destroy());
  expect(await things.findOne({ _id: 1 })).toEqual({ _id: 1 });
});

test('a command whose connection ends while it is written fails', async () => {
  const { things, own } = await connected();
  const written = things.insertOne({ _id: 2, text: 'x'.repeat(15_000_000) });
  const failure = expect(written).rejects.toMatchObject({ name: 'MongoNetworkError' });
  await expect.poll(() => own.some((socket) => socket.writableNeedDrain), { interval: 1 }).toBe(true);
  own.filter((socket) => socket.writableNeedDrain).forEach((socket) => socket.destroy());
  await failure;
});
