import { spawnSync } from 'node:child_process';
import { youngGeneration } from '../../src/commands/server-process.js';

// Import this first. It starts the process again with the heap settings of an API under `riskgraph up` and
// docker-compose.yml: the young generation has room for the data of requests in progress. The process that a benchmark
// compares with has the same settings.
if (!process.execArgv.includes(youngGeneration)) {
  const { status } = spawnSync(process.execPath, [youngGeneration, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
