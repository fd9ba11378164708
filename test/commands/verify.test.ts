import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/run-command.js';
import { startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem();
const token = await system.token('CLINICIAN');
const verify = (environment: Record<string, string>, input: string, ...given: readonly string[]) =>
  runCommand(['verify', '--url', system.url, ...given], environment, input);

test.each<[string, Record<string, string>, string, string[]]>([
  ['from RISKGRAPH_TOKEN', { RISKGRAPH_TOKEN: token }, '', []],
  ['from standard input', {}, `${token}\n`, ['--token', '-']],
  ['as an argument, which wins', { RISKGRAPH_TOKEN: 'another' }, '', ['--token', token]],
])('verify accepts the token %s', async (_name, environment, input, given) => {
  const { code, output, errors } = await verify(environment, input, ...given);
  expect(errors).toBe('');
  expect(output).toContain('ok   access token: CLINICIAN of alpha\n');
  expect(code).toBe(0);
});

test.each<[string, string[]]>([
  ['no token at all', []],
  ['an empty standard input', ['--token', '-']],
])('verify refuses %s in one line that says how to give one', async (_name, given) => {
  const { code, output, errors } = await verify({}, '', ...given);
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^error: No access token was given: [^\n]*RISKGRAPH_TOKEN[^\n]*--token -[^\n]*\n$/);
});

test('score accepts the token in the same ways', async () => {
  const folder = await temporaryDirectory();
  const [file, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  await writeFile(file, 'mrn,age,sex,chest_pain_type\nTOKEN-1,63,1,4\n');
  const { secretKey, mongoUri, redisUrl } = system.app.config;
  const environment = { SECRET_KEY: secretKey, MONGO_URI: mongoUri, REDIS_URL: redisUrl };
  const score = (extra: Record<string, string>, input: string, ...given: readonly string[]) =>
    runCommand(['score', file, '--out', out, '--url', system.url, ...given], { ...environment, ...extra }, input);
  expect(await score({}, `${token}\n`, '--token', '-')).toMatchObject({
    code: 0,
    output: `1 patients scored, 0 failed: ${out}\n`,
  });
  expect(await score({ RISKGRAPH_TOKEN: token }, '')).toMatchObject({ code: 0 });
});
