import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';

const chunks = readdirSync('dist/bundle').filter((name) => name.endsWith('.js'));
const textOf = (name: string): string => readFileSync(join('dist/bundle', name), 'utf8');

/** Copies this package, as npm would pack it, into a folder with a blank in its name. */
async function copied(): Promise<string> {
  const folder = join(await temporaryDirectory(), 'other place');
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ files: readonly { readonly path: string }[] }];
  for (const { path } of files) cpSync(path, join(folder, path));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}

test('a packed package runs from another folder, with its own version, models and schema', async () => {
  const folder = await copied();
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, [join(folder, 'dist/src/cli.js'), ...words], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: process.env.PATH },
    });
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version: '9.8.7' }));
  expect(run('--version')).toBe('9.8.7\n');
  expect(run('model', 'check', 'risk-models/heart-disease')).toContain('golden vectors');
  expect(run('--help')).toContain('maintenance');
});

test('the packages that compare classes are in the bundle once', () => {
  const all = chunks.map(textOf).join('\n');
  for (const name of ['GraphQLSchema', 'MongooseError', 'MongoServerSelectionError', 'BSONError'])
    // A second copy in the same file would have a number behind its name.
    expect(all.match(new RegExp(`\\b(?:${name}\\d*=class|class ${name}\\d*)\\b`, 'g')), name).toHaveLength(1);
});

test('every file of the bundle is ASCII, because Node.js keeps others in twice the memory', () => {
  expect(chunks.length).toBeGreaterThan(20);
  expect(chunks.filter((name) => /[^\0-\x7f]/.test(textOf(name)))).toEqual([]);
});

test('a worker loads neither the schema nor Fastify', () => {
  const imports = (name: string): readonly string[] =>
    [...textOf(name).matchAll(/(?:from|import)"\.\/([^"]+)"/g)].map(([, file]) => file!);
  const reached = new Set<string>();
  const follow = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    imports(name).forEach(follow);
  };
  const one = (text: string): string => chunks.find((name) => new RegExp(`^${text}-[A-Z0-9]+\\.js$`).test(name))!;
  follow(one('serve'));
  follow(one('workers'));
  const loaded = [...reached].map(textOf).join('\n');
  expect(loaded).toContain('worker started');
  for (const mark of ['FST_ERR_', 'buildGuardedSchema']) expect(loaded, mark).not.toContain(mark);
});

test('a place in a stack names the source, also when Node.js was not told to map it', async () => {
  const entry = resolve('dist/src/cli.js');
  const script = join(await temporaryDirectory(), 'fail.mjs');
  writeFileSync(
    script,
    `process.argv.splice(2, 9, 'token', '--role', 'ADMIN');
    const write = JSON.parse;
    JSON.parse = (text, ...rest) => {
      if (String(text).includes('"name": "riskgraph"')) process.stdout.write(new Error('here').stack);
      return write(text, ...rest);
    };
    await import(${JSON.stringify(entry)});`,
  );
  const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8', env: { PATH: process.env.PATH } });
  expect(stdout).toMatch(/at packageVersion \(.*\/src\/process\/package-root\.ts:\d+:\d+\)/);
});

test('the bundle has the licences of its packages, and nothing under the SSPL', () => {
  const licences = textOf('LICENCES.md');
  for (const name of ['graphql', 'mongoose', 'fastify', 'bullmq']) expect(licences).toContain(`\n## ${name} `);
  expect(licences).not.toMatch(/embedded-mongodb|SSPL/);
  expect(existsSync('dist/bundle/cli.js.map')).toBe(true);
});
