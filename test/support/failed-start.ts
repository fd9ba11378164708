/* eslint-disable no-console -- its output is what the test reads */
import 'reflect-metadata';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/process/logger.js';

// Starts an app with the settings of its environment. The start must fail, and its message is printed. No call ends
// this process: it ends on its own if the failed start left no connection and no timer.
try {
  await createApp(loadConfig(process.env), createLogger('silent', 'failed-start'));
  console.log('started');
} catch (error) {
  console.log(error instanceof Error ? error.message : 'no error');
}
