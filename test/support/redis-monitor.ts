import { connect } from 'node:net';

/**
 * Every command that a Redis gets, exactly as it was sent. The monitor of ioredis fails on a server that is busy at its
 * start.
 */
export async function monitorRedis(url: string): Promise<{ readonly commands: () => string; close(): void }> {
  const { hostname, port, password } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  const begun = new Promise<void>((resolve) => {
    socket.on('data', (data) => {
      received += data.toString('latin1');
      // One answer is for AUTH, one for MONITOR.
      if ((received.match(/^\+OK/gm) ?? []).length >= 2) resolve();
    });
  });
  socket.write(`AUTH ${decodeURIComponent(password)}\r\nMONITOR\r\n`);
  await begun;
  return { commands: () => received, close: () => socket.destroy() };
}
