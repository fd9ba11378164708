import { Command } from 'commander';
import { wholeNumber } from './environment.js';

/** The most processes of one kind on one machine. */
export const mostProcesses = 64;

/** The text behind `--processes`. */
const supervised = 'start those again that end, and replace them one after the other on SIGHUP';

/** `riskgraph api`: one API process of a deployment, or several on one port. */
export const apiCommand = (): Command =>
  new Command('api')
    .description('serve the API; needs MONGO_URI and REDIS_URL')
    .option('--processes <number>', `run so many processes on one port, ${supervised}`, wholeNumber(1, mostProcesses))
    .action(async ({ processes }: { processes?: number }) => {
      if (processes === undefined) await (await import('./serve.js')).serveApi();
      else await (await import('./serve-group.js')).serveGroup('api', processes);
    });

/** `riskgraph worker`: one worker process of a deployment, or several. */
export const workerCommand = (): Command =>
  new Command('worker')
    .description('run scoring jobs; needs MONGO_URI and REDIS_URL')
    .option('--processes <number>', `run so many processes, ${supervised}`, wholeNumber(1, mostProcesses))
    .action(async ({ processes }: { processes?: number }) => {
      if (processes === undefined) await (await import('./serve.js')).serveWorker();
      else await (await import('./serve-group.js')).serveGroup('worker', processes);
    });
