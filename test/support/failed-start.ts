/* eslint-disable no-console -- its output is what the test reads */
import 'reflect-metadata';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/process/logger.js';

// Starts an app with the settings of its environment, which must fail, and says why. Nothing ends this process: it is over
// as soon as the failed start has left nothing open.
try {
  await createApp(loadConfig(process.env), createLogger('silent', 'failed-start'));
  console.log('started');
} catch (error) {
  console.log(error instanceof Error ? error.message : 'no error');
}
