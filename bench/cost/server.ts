import 'reflect-metadata';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { reportToParent } from '../../src/commands/server-process.js';
import { loadConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/process/logger.js';

// Starts an API as `riskgraph api` does. To each message it answers with what it used since the message before.
const config = loadConfig(process.env);
const app = await createApp(config, createLogger(config.logLevel, 'bench-cost'));
const server = await startApi(app);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let before = process.cpuUsage();
process.on('message', () => {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  process.send!({
    cpuMs: (user + system) / 1e3,
    stallMs: delay.max / 1e6,
    rssMib: process.memoryUsage.rss() / 2 ** 20,
  });
  delay.reset();
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
reportToParent({ ready: server.url });
