import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureLine } from '../../src/commands/failure.js';
import { goldenFeatures } from '../support/heart-disease.js';
import { cli, runCommand, type Outcome } from '../support/run-command.js';
import { startSystem, testEncryptionKeys, testSecretKey } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem();
const waiting = await startSystem({ worker: false });
const { mongoUri, redisUrl, redisPrefix } = system.app.config;

const environmentOf = async ({ token }: Pick<typeof system, 'token'>): Promise<Record<string, string>> => ({
  RISKGRAPH_TOKEN: await token('CLINICIAN'),
  NODE_ENV: 'test',
  SECRET_KEY: testSecretKey,
  MONGO_URI: mongoUri!,
  REDIS_URL: redisUrl!,
  REDIS_PREFIX: redisPrefix,
  ENCRYPTION_KEYS: testEncryptionKeys,
});

async function score(argumentsGiven: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
  return runCommand(['score', ...argumentsGiven, '--url', system.url], await environmentOf(system), input);
}

const features = goldenFeatures(0);
const header = `mrn,${features.map(({ code }) => code).join()}`;
const cells = features.map(({ value }) => value).join();

/** Writes a cohort into a folder of its own. */
async function cohortOf(content: string | Buffer): Promise<{ file: string; out: string }> {
  const folder = await temporaryDirectory();
  const file = join(folder, 'cohort.csv');
  await writeFile(file, content);
  return { file, out: join(folder, 'out.csv') };
}

async function storedFeatures(mrn: string): Promise<{ code: string; value: number }[] | undefined> {
  const { data } = await system.post<{ patient: { features: { code: string; value: number }[] } | null }>(
    'query ($mrn: String!) { patient(mrn: $mrn) { features { code value } } }',
    { mrn },
    await system.token('CLINICIAN'),
  );
  return data?.patient?.features;
}

describe('riskgraph score', () => {
  test('refuses a file in Latin-1 with line and column, and reads it with --encoding as two people', async () => {
    const { file, out } = await cohortOf(
      Buffer.from(`${header}\nL\u00e4tin,${cells}\nL\u00f6tin,${cells}\n`, 'latin1'),
    );
    // The first environment makes the organization and its user.
    await environmentOf(system);
    const before = await system.counts();
    expect(await score([file, '--out', out])).toEqual({
      code: 1,
      output: '',
      errors:
        `error: ${file}: line 2, column 2: is not valid UTF-8: save the file as UTF-8, or name its encoding with ` +
        '--encoding, e.g. windows-1252. Nothing was sent.\n',
    });
    expect(await system.counts()).toEqual(before);
    expect(existsSync(out)).toBe(false);
    expect(await score([file, '--out', out, '--encoding', 'windows-1252'])).toMatchObject({ code: 0 });
    expect((await readFile(out, 'utf8')).split('\n').map((line) => line.split(',')[0])).toEqual([
      'mrn',
      'Lätin',
      'Lötin',
      '',
    ]);
    expect(await score([file, '--encoding', 'klingon'])).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        /^error: --encoding: there is no encoding "klingon": choose one of utf-8, /,
      ) as string,
    });
  });

  test('says in one line which file cannot be used', async () => {
    const { file } = await cohortOf(`${header}\n`);
    const folder = join(file, '..');
    expect((await score([join(folder, 'none.csv')])).errors).toBe(
      `error: ${folder}/none.csv does not exist: check the name\n`,
    );
    expect((await score([folder])).errors).toBe(`error: ${folder} is a directory: name a file.\n`);
    expect((await score([file, '--out', file])).errors).toBe(
      `error: --out: ${file} is the file that is read: name another one.\n`,
    );
    expect((await score([file, '--out', join(folder, 'none', 'out.csv')])).errors).toBe(
      `error: --out: the folder ${folder}/none does not exist: make it, or name a file elsewhere.\n`,
    );
    expect((await score([file])).errors).toMatch(
      /^error: .*: has no patients below its header\. Nothing was sent\.\n$/,
    );
  });

  test('says which file it has no right to', () => {
    // No file refuses root, so the error is made here.
    const error = Object.assign(new Error('EACCES'), { code: 'EACCES', path: 'cohort.csv' });
    expect(failureLine(error)).toBe('cohort.csv cannot be opened: you do not have the right to it');
  });

  test('opens the output before anything is sent', async () => {
    const { file, out } = await cohortOf(`${header}\nNOT-SENT-1,${cells}\n`);
    await mkdir(out);
    const before = await system.counts();
    expect((await score([file, '--out', out])).errors).toBe(`error: ${out} is a directory: name a file\n`);
    expect(await system.counts()).toEqual(before);
  });

  test('keeps an earlier result when it fails', async () => {
    const { file, out } = await cohortOf('mrn,weight\nA-1,3\n');
    await writeFile(out, 'the result of yesterday', { mode: 0o644 });
    expect((await score([file, '--out', out])).code).toBe(1);
    expect(await readFile(out, 'utf8')).toBe('the result of yesterday');
    expect(((await stat(out)).mode & 0o777).toString(8)).toBe('600');
  });

  test('names a missing column, other lengths, double MRNs and open quotes, and sends nothing', async () => {
    const before = await system.counts();
    const errorsOf = async (content: string): Promise<string> => {
      const { file, out } = await cohortOf(content);
      const { code, errors } = await score([file, '--out', out]);
      expect(code).toBe(1);
      return errors.replace(file, 'FILE');
    };
    expect(await errorsOf('mrn,age,sex\nA-1,63,1\n')).toBe(
      'error: FILE: line 1: the model requires the column chest_pain_type, which is missing. Nothing was sent.\n',
    );
    expect(await errorsOf(`${header}\nA-1,${cells}\nA-2,1\nA-1,${cells}\n`)).toBe(
      `error: FILE: line 3: has 2 cells, and the header has ${features.length + 1}; ` +
        'line 4: the same mrn as in line 2. Nothing was sent.\n',
    );
    expect(await errorsOf(`${header}\nA-1,${cells}\n"A-2,${cells}\n`)).toBe(
      'error: FILE: line 3: has a quote that does not close. Nothing was sent.\n',
    );
    expect(await system.counts()).toEqual(before);
  });

  test('an empty cell leaves the stored value, and --clear-empty removes it', async () => {
    const columns = 'mrn,age,sex,chest_pain_type,cholesterol';
    const first = await cohortOf(`${columns}\nKEEP-1,63,1,4,289\n`);
    expect(await score([first.file, '--out', first.out])).toMatchObject({ code: 0 });
    const second = await cohortOf(`${columns}\nKEEP-1,64,1,4,\n`);
    expect(await score([second.file, '--out', second.out])).toMatchObject({ code: 0 });
    expect(await storedFeatures('KEEP-1')).toContainEqual({ code: 'cholesterol', value: 289 });
    expect(await storedFeatures('KEEP-1')).toContainEqual({ code: 'age', value: 64 });
    expect(await score([second.file, '--out', second.out, '--clear-empty'])).toMatchObject({ code: 0 });
    expect((await storedFeatures('KEEP-1'))!.map(({ code }) => code)).not.toContain('cholesterol');
  });

  test('reads standard input and writes standard output, with semicolons and another case', async () => {
    const text = `\ufeff${header.toUpperCase()}\nPIPE-1,${cells}\nPIPE-2,${cells}\n`.replaceAll(',', ';');
    const { code, output, errors } = await score(['-'], text);
    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
    expect(output.split('\n').map((line) => line.split(',')[0])).toEqual(['mrn', 'PIPE-1', 'PIPE-2', '']);
    expect(errors).toContain('2 patients scored, 0 failed: standard output\n');
    expect(await score(['-', '--token', '-'], text)).toMatchObject({
      code: 1,
      errors: 'error: Standard input is both the cohort and the token: set RISKGRAPH_TOKEN instead.\n',
    });
  });

  test('says at Ctrl-C which job goes on, and how to follow or cancel it', async () => {
    const { file, out } = await cohortOf(`${header}\nSTOP-1,${cells}\n`);
    const environment = { PATH: process.env.PATH, ...(await environmentOf(waiting)), ...databaseOf(waiting) };
    const child = spawn(process.execPath, [cli, 'score', file, '--out', out, '--url', waiting.url, '--org', 'alpha'], {
      env: environment,
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let errors = '';
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const submitted = async (): Promise<number> => waiting.app.models.scoringJobs.countDocuments();
    await expect.poll(submitted, { timeout: 30_000 }).toBe(1);
    // The command knows of the job when it shows its progress.
    await expect.poll(() => errors).toContain('QUEUED');
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    const { id } = (await waiting.app.models.scoringJobs.findOne().orFail()) as { id: string };
    expect(code).toBe(130);
    expect(errors).toContain(
      `Interrupted: the scoring job ${id} goes on. To follow it: riskgraph job follow ${id} --out ${out} --url ${waiting.url} ` +
        `--org alpha. To cancel it: riskgraph job cancel ${id} --url ${waiting.url} --org alpha\n`,
    );
    expect(existsSync(out)).toBe(false);
    const job = (...given: string[]): Promise<Outcome> =>
      runCommand(['job', ...given, '--url', waiting.url, '--org', 'alpha'], environment);
    expect(await job('cancel', id)).toMatchObject({ code: 0, output: `The scoring job ${id} is CANCELLED\n` });
    expect(await job('follow', id)).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`error: The scoring job ${id} ended CANCELLED`) as string,
    });
  });
});

const databaseOf = ({ app }: typeof system): Record<string, string> => ({
  MONGO_URI: app.config.mongoUri!,
  REDIS_URL: app.config.redisUrl!,
  REDIS_PREFIX: app.config.redisPrefix,
});

test('riskgraph --version prints the version of package.json', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(await runCommand(['--version'], {})).toEqual({ code: 0, output: `${version}\n`, errors: '' });
});
