/* eslint-disable no-console -- a benchmark prints */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/*
 * Shows which objects of a request V8 moves into its old generation (docs/decisions/0026-getters-of-classes.md). A small HTTP
 * server makes 300 objects per request, and one more of the kind that is tried, which reaches them. 32 connections ask
 * again as soon as they have an answer.
 *
 *   bench/request-garbage.ts [seconds]
 */
interface Reached {
  readonly objects: readonly object[];
}

const known = new WeakMap<object, object>();
const kinds: Readonly<Record<string, (reached: Reached) => object>> = {
  'methods of a literal': (reached) => ({ first: () => reached, second: () => reached.objects }),
  'getters of a literal': (reached) => ({
    get first() {
      return reached;
    },
    get second() {
      return reached.objects;
    },
  }),
  'getters of a class': (reached) => new WithGetters(reached),
  'value of a WeakMap that reaches its key': (reached) => known.set(reached, { reached }),
};

class WithGetters {
  constructor(private readonly reached: Reached) {}
  get first() {
    return this.reached;
  }
  get second() {
    return this.reached.objects;
  }
}

if (process.send) serve(kinds[process.argv[2]!]!);
else for (const kind of Object.keys(kinds)) await measure(kind, Number(process.argv[2] ?? 5));

function serve(make: (reached: Reached) => object): void {
  const server = createServer((request, response) => {
    request.resume().once('end', () => void answer());
    async function answer(): Promise<void> {
      const reached: Reached = { objects: Array.from({ length: 300 }, (_, number) => ({ number, list: [number] })) };
      const made = make(reached);
      await turn();
      await turn();
      response.end(String(typeof made));
    }
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  process.once('disconnect', () => process.exit());
}

async function measure(kind: string, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [kind], {
    execArgv: [...process.execArgv, '--max-semi-space-size=64', '--trace-gc-nvp'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let last = '';
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line.includes('gc=s')) last = line;
  });
  const [port] = (await once(child, 'message')) as [number];
  let answers = 0;
  const sockets = Array.from({ length: 32 }, () => {
    const socket = connect(port, '127.0.0.1');
    const ask = (): boolean => socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');
    socket.on('data', () => {
      answers += 1;
      ask();
    });
    ask();
    return socket;
  });
  await delay(seconds * 1_000);
  const rate = Math.round(answers / seconds);
  sockets.forEach((socket) => socket.destroy());
  child.kill();
  await once(child, 'exit');
  const megabytes = (name: string): string =>
    (Number(new RegExp(` ${name}=(\\d+)`).exec(last)?.[1] ?? NaN) / 1_000_000).toFixed(1);
  console.log(
    `${kind}: ${rate} requests per second; of ${megabytes('allocated')} MB between the last two collections, ` +
      `${megabytes('promoted')} MB went into the old generation`,
  );
}
