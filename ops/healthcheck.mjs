/**
 * Checks the health of a container. Exits 0 when its process can do its work, else prints one line and exits 1.
 * `healthcheck.mjs api` asks the API whether it is ready. `healthcheck.mjs worker` asks the worker itself, on its
 * METRICS_PORT: it answers for its own connections to MongoDB and Redis, and a frozen worker does not answer.
 * With `--wait SECONDS` it asks again until the process is healthy, for so long at most.
 */
/* global fetch, AbortSignal, setTimeout */

const timeoutMs = 4_000;

/** @param port of the process in this container */
async function check(what, port) {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => {
    throw new Error(`the ${what} does not answer on port ${port}`);
  });
  if (response.ok) return;
  const { reasons = {} } = await response.json().catch(() => ({}));
  throw new Error([`the ${what} answers ${response.status}`, ...Object.values(reasons)].join(': '));
}

const checks = {
  api: ({ PORT = '4000' }) => check('API', PORT),
  worker: ({ METRICS_PORT = '9464' }) => check('worker', METRICS_PORT),
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
