import { expect, test } from 'vitest';
import { namespace } from '../support/namespace.js';
import { runWholeCommand } from '../support/run-command.js';
import { testSecretKey } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('up --once says on which database it works and that it will stop, and stops', async () => {
  const { mongoUri, redisUrl, redisPrefix } = namespace();
  const environment = {
    MONGO_URI: mongoUri,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: redisPrefix,
    SECRET_KEY: testSecretKey,
    PORT: '0',
    DATA_DIRECTORY: await temporaryDirectory(),
  };
  const { code, output, errors } = await runWholeCommand(['up', '--once'], environment);
  const database = new URL(mongoUri).pathname.slice(1);
  expect(errors).toMatch(new RegExp(`^database: ${database} at \\S+, named by MONGO_URI\n$`));
  expect(output).toMatch(/^RiskGraph is up: http:\/\/127\.0\.0\.1:\d+\/graphql \(stopping now, as --once asks\)\n$/);
  expect(code).toBe(0);
});
