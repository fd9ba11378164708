/** Covers src/http/server.ts, src/http/socket-limits.ts, src/http/places.ts. */
// Threat: a caller without a login makes the server hold memory for messages that never end.

import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { startApiProcess } from '../support/api-process.js';
import { connectRaw, frame, upgradeRequest, type RawConnection } from '../support/raw-frames.js';

/**
 * The most that one socket without a credential can make the server hold, bytes: 32 KiB that it may send before its
 * credential, one read of 64 KiB, and the objects of the socket, its frames and its reads.
 */
const mostPerSocket = 256 * 1024;
const sockets = 400;

/** Bytes that arrived at the sockets of a port, and that its process has not read yet. */
function unreadBytes(port: number): number {
  const own = new RegExp(`^ *\\d+: \\w+:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 01 \\w+:(\\w+)`, 'gm');
  return [...readFileSync('/proc/net/tcp', 'utf8').matchAll(own)].reduce(
    (total, [, waiting]) => total + parseInt(waiting!, 16),
    0,
  );
}

/** Bytes that wait in this process to be sent. */
const pending = (opened: readonly RawConnection[]): number =>
  opened.reduce((total, { socket }) => total + (socket.destroyed ? 0 : socket.writableLength), 0);

/** Sends hostile bytes over many sockets. @returns the growth of the server per socket, bytes */
async function growth(hostile: (open: RawConnection) => Promise<void>): Promise<number> {
  const api = await startApiProcess({
    environment: {
      UNAUTHENTICATED_SOCKETS_PER_ADDRESS: String(sockets),
      UNAUTHENTICATED_SOCKETS_PER_NODE: String(sockets),
    },
    // A small young generation: what is not kept is collected soon.
    nodeOptions: ['--max-semi-space-size=1'],
  });
  const before = api.memory();
  const opened = await Promise.all(Array.from({ length: sockets }, () => connectRaw(api.url, upgradeRequest())));
  onTestFinished(() => opened.forEach(({ socket }) => socket.destroy()));
  await expect.poll(() => opened.filter((open) => open.received().startsWith('HTTP/1.1 101')).length).toBe(sockets);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, api.memory())), 20);
  await Promise.all(opened.map(hostile));
  // Every byte was read by the server, or its connection is gone.
  await expect.poll(() => unreadBytes(Number(new URL(api.url).port)) + pending(opened)).toBe(0);
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  clearInterval(watch);
  return (Math.max(most, api.memory()) - before) / sockets;
}

const sent = (open: RawConnection, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => open.socket.write(bytes, () => resolve()));

// Shows: owasp/amount, owasp/system-resources
test('16,000 fragments of one byte are not kept: a socket without a credential costs at most 256 KiB', async () => {
  const fragments = Buffer.concat([
    frame('{', { fin: false }),
    ...Array.from({ length: 16_000 }, () => frame(' ', { opcode: 0, fin: false })),
  ]);
  expect(await growth((open) => sent(open, fragments))).toBeLessThan(mostPerSocket);
});

// Shows: owasp/amount
test('fragments that each keep a whole read of 64 KiB alive cost no more', async () => {
  // The server reads up to 64 KiB at once. A fragment is a view of its read. The pings fill the read.
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame('', { opcode: 9 })));
  const reads = Array.from({ length: 40 }, (_, index) =>
    Buffer.concat([frame(' ', { opcode: index === 0 ? 1 : 0, fin: false }), pings]),
  );
  expect(
    await growth(async (open) => {
      for (const read of reads) await sent(open, read);
    }),
  ).toBeLessThan(mostPerSocket);
});

// Shows: owasp/amount
test('pings that echo a payload to a client that does not read cost no more', async () => {
  const echoed = frame(JSON.stringify({ type: 'ping', payload: { echo: 'x'.repeat(60_000) } }));
  expect(
    await growth(async (open) => {
      open.socket.pause();
      for (let number = 0; number < 40; number++) await sent(open, echoed);
    }),
  ).toBeLessThan(mostPerSocket);
});
