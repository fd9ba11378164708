/**
 * Checks the health of a container. Exits 0 when its process can do its work, else prints one line and exits 1.
 * `healthcheck.mjs api` asks the API whether it is ready. `healthcheck.mjs worker` asks the worker itself, on its
 * METRICS_PORT: it answers for its own connections to MongoDB and Redis, and a frozen worker does not answer.
 */
/* global fetch, AbortSignal */

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
  const run = checks[process.argv[2]];
  if (!run) throw new Error('usage: healthcheck.mjs api|worker');
  await run(process.env);
  process.exit(0);
} catch (error) {
  console.error(`unhealthy: ${error.message}`);
  process.exit(1);
}
