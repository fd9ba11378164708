import { open, readdir } from 'node:fs/promises';
import mongoose from 'mongoose';
import { expect, test } from 'vitest';
import { GraphqlRequestError } from '../../src/client/errors.js';
import { apiClient } from '../../src/commands/api-client.js';
import { failureLine } from '../../src/commands/failure.js';
import { StartupError } from '../../src/errors.js';
import { RiskModelsDocument } from '../../src/client/generated/graphql.js';

const failureOf = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

test.each<[string, () => unknown, string]>([
  ['an error for the operator', () => Promise.reject(new StartupError('Do this.')), 'Do this.'],
  ['a file that does not exist', () => open('/no-such-file'), '/no-such-file does not exist: check the name'],
  ['a directory', () => open('/tmp', 'w'), '/tmp is a directory: name a file'],
  [
    'a folder that is a file',
    () => readdir('/etc/passwd'),
    '/etc/passwd does not exist, because a part of its path is',
  ],
  [
    'a full disk of MongoDB',
    () => Promise.reject(Object.assign(new Error('available disk space of 1 bytes is less'), { code: 14_031 })),
    "MongoDB's disk is full, or has less than the 500 MB that MongoDB asks for: make room on it.",
  ],
  [
    'a MongoDB that goes away',
    () => Promise.reject(new mongoose.mongo.MongoNetworkError('read ECONNRESET')),
    'MongoDB broke off the connection, or is away: check that it runs and that MONGO_URI names it.',
  ],
  ['a fault of the program', () => (undefined as unknown as { x: number }).x, 'unexpected failure: Cannot read'],
  [
    'a refusal of the API',
    () => Promise.reject(new GraphqlRequestError([{ message: 'Not this.', extensions: { code: 'FORBIDDEN' } }])),
    'Not this.',
  ],
  [
    'several errors',
    () => Promise.reject(new AggregateError([new StartupError('One.'), new TypeError('two')])),
    'One.; ',
  ],
  ['a URL that is none', () => apiClient('localhost'), 'localhost is not the URL of a RiskGraph'],
  ['nothing at the URL', () => apiClient('http://127.0.0.1:9').request(RiskModelsDocument), 'No RiskGraph answers'],
  ['no message', () => Promise.reject(new Error('')), 'unknown failure'],
])('the line about %s says no class of an error', async (_name, work, start) => {
  const line = failureLine(await failureOf(work));
  expect(line.slice(0, start.length)).toBe(start);
  expect(line).not.toMatch(/\w(Error|Exception)\b/);
  expect(line).not.toContain('\n');
});
