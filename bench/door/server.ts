import 'reflect-metadata';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import type { Identity } from '../../src/auth/viewer.js';
import { reportToParent } from '../../src/commands/server-process.js';
import { loadConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/process/logger.js';
import { startWithout, type ProtectionName } from './without.js';

// Starts an API as `riskgraph api` does, without the protections that the first argument names.
const off = JSON.parse(process.argv[2]!) as ProtectionName[];
const caller = JSON.parse(process.argv[3]!) as Identity;
const config = loadConfig(process.env);
const app = await createApp(config, createLogger(config.logLevel, 'bench-door'));
const server = off.length === 0 ? await startApi(app) : await startWithout(app, new Set(off), caller);
process.on('message', () => process.send!({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
reportToParent({ ready: server.url });
