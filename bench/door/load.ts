import { connect } from 'node:net';

// Sends requests on several connections. Each connection sends the next request when the last was answered. The
// program then tells its parent the number of answers. It has its own process and so takes no time of the servers'
// event loops.
export interface Order {
  readonly url: string;
  readonly token: string;
  /** Bodies of GraphQL requests, or paths to GET, that take turns. */
  readonly bodies?: readonly string[];
  readonly paths?: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

process.on('message', (order: Order) => {
  run(order).then(
    (answered) => process.send!({ answered }),
    (error: unknown) => process.send!({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });

async function run({ url, token, bodies = [], paths = [], connections, seconds }: Order): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const headers = `HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n`;
  const requests = [
    ...bodies.map(
      (body) =>
        `POST /graphql ${headers}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n` +
        body,
    ),
    ...paths.map((path) => `GET ${path} ${headers}\r\n`),
  ];
  const end = performance.now() + seconds * 1000;
  let answered = 0;
  await Promise.all(
    Array.from(
      { length: connections },
      (_, index) =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(Number(port), hostname);
          let turn = index;
          let pending = '';
          const next = (): void => {
            if (performance.now() < end) socket.write(requests[turn++ % requests.length]!);
            else socket.end(resolve);
          };
          socket.setNoDelay(true).setEncoding('latin1');
          socket.on('connect', next).on('error', reject);
          socket.on('data', (chunk: string) => {
            pending += chunk;
            const headerEnd = pending.indexOf('\r\n\r\n');
            if (headerEnd < 0) return;
            const length = Number(/content-length: (\d+)/i.exec(pending)![1]);
            if (pending.length < headerEnd + 4 + length) return;
            const complete = pending;
            pending = '';
            if (!complete.startsWith('HTTP/1.1 200') || complete.includes('"errors"'))
              reject(new Error(complete.slice(0, 500)));
            answered += 1;
            next();
          });
        }),
    ),
  );
  return answered;
}
