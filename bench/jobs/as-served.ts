import { spawnSync } from 'node:child_process';
import { youngGeneration } from '../../src/commands/server-process.js';

// Import this first. The API of a benchmark is in its own process: as `riskgraph up` and docker-compose.yml start an API, with room
// for what is in hand in the young generation of the heap. What it is compared with has the same.
if (!process.execArgv.includes(youngGeneration)) {
  const { status } = spawnSync(process.execPath, [youngGeneration, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
