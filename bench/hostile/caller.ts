import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

// The well-behaved caller, in a process of its own, so that its clock does not wait for the work of others. Its event
// loop is measured too: a figure of the caller means little where its own loop was late.
// Arguments: the URL, a token, the id of an unfinished job, and the seconds that it lasts.
const [url, token, job, seconds] = process.argv.slice(2) as [string, string, string, string];
const address = '127.0.0.2';
/** Time after which a socket counts as refused, milliseconds. */
const patienceMs = 30_000;

/** Times of one socket since its beginning, milliseconds. */
export interface SocketTimes {
  /** The kernel has connected it. */
  readonly connected: number;
  /** The API has answered 101. */
  readonly upgraded: number;
  /** The API has accepted the credential. */
  readonly acknowledged: number;
  /** The first event of a subscription has arrived. */
  readonly event: number;
}

/** What the caller saw. Undefined stands for a refusal. */
export interface CallerReport {
  readonly queries: readonly (number | undefined)[];
  readonly sockets: readonly (SocketTimes | undefined)[];
  /** Delays of the caller's own event loop, milliseconds. */
  readonly lag: { readonly p99: number; readonly most: number };
  /** False where the system did not let the caller run before others. */
  readonly raised: boolean;
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

async function ask(): Promise<number | undefined> {
  const began = performance.now();
  const asked = request(`${url}/graphql`, {
    method: 'POST',
    agent,
    localAddress: address,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  asked.end(JSON.stringify({ query: '{ patients(first: 5) { edges { node { id mrn } } } }' }));
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const text = (await response.toArray()).join('');
    return response.statusCode === 200 && !text.includes('"errors"') ? performance.now() - began : undefined;
  } catch {
    return undefined;
  }
}

/** Opens a socket, subscribes to a job, and waits for the first event, which is the present state of the job. */
function follow(): Promise<SocketTimes | undefined> {
  const began = performance.now();
  const since = (): number => performance.now() - began;
  const times = { connected: NaN, upgraded: NaN, acknowledged: NaN, event: NaN };
  const { hostname, port } = new URL(url);
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', {
    createConnection: () =>
      connect({ host: hostname, port: Number(port), localAddress: address }).once(
        'connect',
        () => (times.connected = since()),
      ),
  });
  const send = (message: object): void => socket.send(JSON.stringify(message));
  return new Promise((resolve) => {
    const end = (seen?: SocketTimes): void => {
      clearTimeout(timer);
      socket.terminate();
      resolve(seen);
    };
    const timer = setTimeout(end, patienceMs);
    socket.on('open', () => {
      times.upgraded = since();
      send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    });
    socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as { readonly type: string };
      if (type === 'connection_ack') {
        times.acknowledged = since();
        const query = `subscription { scoringJobUpdated(id: "${job}") { sequence } }`;
        send({ id: '1', type: 'subscribe', payload: { query } });
      } else if (type === 'next') {
        times.event = since();
        end(times);
      } else if (type === 'error') end();
    });
    socket.on('error', () => end()).on('close', () => end());
  });
}

function raisePriority(): boolean {
  try {
    setPriority(-15);
    return true;
  } catch {
    return false;
  }
}

const raised = raisePriority();
for (let warm = 0; warm < 200; warm += 1) await ask();
process.send!('warm');
await once(process, 'message');
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const queries: (number | undefined)[] = [];
const sockets: (SocketTimes | undefined)[] = [];
const until = Date.now() + Number(seconds) * 1000;
async function during(pauseMs: number, work: () => Promise<unknown>): Promise<void> {
  while (Date.now() < until) {
    await work();
    await sleep(pauseMs);
  }
}
await Promise.all([
  during(50, async () => queries.push(await ask())),
  during(250, async () => sockets.push(await follow())),
]);
const report: CallerReport = {
  queries,
  sockets,
  lag: { p99: delay.percentile(99) / 1e6, most: delay.max / 1e6 },
  raised,
};
process.send!(report, () => process.exit(0));
