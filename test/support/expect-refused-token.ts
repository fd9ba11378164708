import { expect } from 'vitest';
import { refusalsOf } from './identity.js';
import { openSocket } from './raw-socket.js';
import type { System } from './system.js';

/** Expects UNAUTHENTICATED over HTTP, and 4403 over the WebSocket before any acknowledgement. */
export async function expectRefusedToken(system: System, token: string): Promise<void> {
  expect(await refusalsOf(system, token)).toEqual(['UNAUTHENTICATED']);
  const socket = await openSocket(system.url);
  socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  expect((await socket.closed).code).toBe(4403);
}
