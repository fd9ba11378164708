/**
 * Checks the health of a container or of a systemd unit. Exits 0 when its process can do its work, else prints one line and exits 1.
 * `healthcheck.mjs api` asks the API whether it is ready, at its HOST and PORT. `healthcheck.mjs worker` asks the worker
 * itself, at its METRICS_HOST and METRICS_PORT: it answers for its own connections to MongoDB and Redis, and a frozen
 * worker does not answer.
 * With `--wait SECONDS` it asks again until the process is healthy, for so long at most.
 */
/* global AbortSignal, setTimeout */
import { get } from 'node:http';
import { isIPv6 } from 'node:net';
import { json } from 'node:stream/consumers';

const timeoutMs = 4_000;

/**
 * The address at which this machine reaches a process that listens on a host. A process that listens on every address
 * is asked on loopback.
 */
function reachable(host) {
  if (/^[0.]+$/.test(host)) return '127.0.0.1';
  return isIPv6(host) && /^[0:.]+$/.test(host) ? '::1' : host;
}

/** Checks a process that listens on a host and a port. An empty one is as good as none, as for the process. */
async function check(what, { host, port }) {
  const place = { host: reachable(host || '127.0.0.1'), port, path: '/health/ready' };
  const response = await new Promise((resolve, reject) => {
    get({ ...place, signal: AbortSignal.timeout(timeoutMs) }, resolve).on('error', reject);
  }).catch(() => {
    throw new Error(`the ${what} does not answer on port ${port} of ${place.host}`);
  });
  const { reasons = {} } = (await json(response).catch(() => undefined)) ?? {};
  if (response.statusCode === 200) return;
  throw new Error([`the ${what} answers ${response.statusCode}`, ...Object.values(reasons)].join(': '));
}

const checks = {
  api: ({ HOST, PORT }) => check('API', { host: HOST, port: PORT || '4000' }),
  worker: ({ METRICS_HOST, METRICS_PORT }) => check('worker', { host: METRICS_HOST, port: METRICS_PORT || '9464' }),
};
try {
  const [what, option, seconds] = process.argv.slice(2);
  const run = checks[what];
  const isKnown = option === undefined || (option === '--wait' && Number(seconds) > 0);
  if (!run || !isKnown) throw new Error('usage: healthcheck.mjs api|worker [--wait SECONDS]');
  const end = Date.now() + 1_000 * (Number(seconds) || 0);
  for (;;) {
    const failure = await run(process.env).catch((error) => error);
    if (!failure) break;
    if (Date.now() >= end) throw failure;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  process.exit(0);
} catch (error) {
  console.error(`unhealthy: ${error.message}`);
  process.exit(1);
}
