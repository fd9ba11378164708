import 'reflect-metadata';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { reportToParent } from '../../src/commands/server-process.js';
import { loadConfig } from '../../src/config.js';
import { everyProtection } from '../../src/http/protections.js';
import { createLogger } from '../../src/logger.js';
import { bare } from './bare.js';

// An API as `riskgraph api` starts it, or the same without its protections, which only this program can make.
const config = loadConfig(process.env);
const app = await createApp(config, createLogger(config.logLevel, 'bench-door'));
const server = await startApi(app, process.argv[2] === 'bare' ? bare : everyProtection);
process.on('message', () => process.send!({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
reportToParent({ ready: server.url });
