import { onTestFinished, expect, test } from 'vitest';
import { startEngines } from '../../src/embedded/engines.js';
import { codesOf, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('the state of the system names Redis while it is away', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), mongoUri: 'mongodb://unused' });
  onTestFinished(() => engines.stop());
  const environment = { REDIS_URL: engines.redisUrl, QUEUE_PAGE_ORGANIZATION: 'alpha' };
  const system = await startSystem({ worker: false, environment });
  const token = await system.token('ADMIN');
  const query = '{ systemStatus { workersAlive queues { entries } } }';
  expect((await system.post(query, {}, token)).data).toEqual({ systemStatus: { workersAlive: 0, queues: [] } });
  await engines.stop();
  const answer = await system.post(query, {}, token);
  expect(codesOf(answer)).toEqual(['SERVICE_UNAVAILABLE']);
  expect(answer.errors).toMatchObject([{ message: 'Redis does not answer: check that it runs and can be reached.' }]);
});
