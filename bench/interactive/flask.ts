import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithThisProcess } from '../../src/embedded/guard.js';
import type { PeerSettings } from './peers.js';

/** The service that RiskGraph replaces (bench/peer/service), while it runs. */
export interface FlaskService {
  readonly url: string;
  submit(patientId: string): Promise<string>;
  /** @returns the job, with its prediction once it has ended */
  job(id: string): Promise<FlaskJob>;
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** A job as the service answers it. */
interface FlaskJob {
  readonly id: string;
  readonly state: 'QUEUED' | 'COMPLETED' | 'FAILED';
  readonly prediction?: FlaskPrediction;
}

export interface FlaskPrediction {
  readonly id: string;
  readonly probability: number;
  readonly riskBand: string;
  readonly explanation: {
    readonly baseValue: number;
    readonly contributions: readonly { readonly feature: { readonly code: string }; readonly value: number }[];
  };
}

const service = fileURLToPath(new URL('../peer/service', import.meta.url));

/** Two processes of each, as there are two cores. The worker loads the model once, before it forks. */
const web = '--workers 2 --worker-class gthread --threads 8 --preload --keep-alive 60 --log-level warning web:app';
const worker =
  '--app tasks worker --pool prefork --concurrency 2 --optimization fair --without-gossip --without-mingle ' +
  '--without-heartbeat --loglevel warning';

/** Starts gunicorn and Celery, and waits until gunicorn serves. A job waits in Redis until Celery does. */
export async function startFlask({ folder, environment, token }: PeerSettings): Promise<FlaskService> {
  const port = await freePort();
  const start = (module: string, args: string): ChildProcess => {
    const child = spawn(join(folder, 'python/bin/python'), ['-m', module, ...args.split(' ')], {
      cwd: service,
      env: {
        PATH: process.env.PATH,
        OMP_NUM_THREADS: '1',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONWARNINGS: 'ignore',
        PEER_MODEL: join(folder, 'heart-disease.joblib'),
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('exit', endWithThisProcess(child.pid!));
    return child;
  };
  const children = [start('gunicorn', `--bind 127.0.0.1:${port} ${web}`), start('celery', worker)];
  const agent = new Agent({ keepAlive: true });
  const url = `http://127.0.0.1:${port}`;
  const call = async (method: string, path: string, body?: string): Promise<unknown> => {
    const sent = request(`${url}${path}`, { method, agent, headers: { authorization: `Bearer ${token}` } });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk as string;
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  };
  const running: FlaskService = {
    url,
    get: (path) => call('GET', path),
    submit: async (patientId) => ((await call('POST', '/jobs', JSON.stringify({ patientId }))) as FlaskJob).id,
    job: (id) => call('GET', `/jobs/${id}`) as Promise<FlaskJob>,
    async stop() {
      agent.destroy();
      for (const child of children) {
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
      }
    },
  };
  const answers = (): Promise<boolean> =>
    running.get('/patients?first=1').then(
      () => true,
      () => false,
    );
  while (!(await answers())) {
    if (children.some(({ exitCode }) => exitCode !== null)) throw new Error('gunicorn or Celery ended: see above');
    await delay(20);
  }
  return running;
}

/** Asks for a job again and again until it has ended, as a client without subscriptions does. */
export async function pollFor({ job }: FlaskService, id: string, periodMs: number): Promise<FlaskPrediction> {
  for (;;) {
    await delay(periodMs);
    const { state, prediction } = await job(id);
    if (state === 'FAILED') throw new Error(`job ${id} failed`);
    if (prediction) return prediction;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
