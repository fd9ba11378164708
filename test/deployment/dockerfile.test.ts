import { existsSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

/** One instruction with its continuation lines joined: `['COPY', 'a b']`. */
const instructions = readFileSync('Dockerfile', 'utf8')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => /^([A-Z]+) (.*)$/.exec(line)!.slice(1) as [string, string]);
const all = (name: string) => instructions.filter(([instruction]) => instruction === name).map(([, rest]) => rest);
const stages = all('FROM').map((from) => from.split(' AS ') as [string, string]);
const runtime = instructions.slice(
  instructions.findIndex(([name, rest]) => name === 'FROM' && rest.endsWith(' AS runtime')),
);
const ofRuntime = (name: string) => runtime.filter(([instruction]) => instruction === name).map(([, rest]) => rest);

/** Tells whether the builder gets `path`. .dockerignore excludes everything and then includes some files. */
function isSent(path: string): boolean {
  const allowed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  return allowed.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

test('every stage is named and starts from one digest of Node 24 or an earlier stage; the last one runs', () => {
  for (const [index, [from, name]] of stages.entries()) {
    expect(name).toMatch(/^[a-z]+$/);
    const earlier = stages.slice(0, index).map(([, stage]) => stage);
    if (!earlier.includes(from)) expect(from).toMatch(/^node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
  }
  expect(stages.at(-1)![1]).toBe('runtime');
});

test('every COPY takes files that the builder gets, or that an earlier stage made', () => {
  const copies = all('COPY');
  expect(copies.length).toBeGreaterThan(5);
  for (const copy of copies) {
    const [, stage, rest] = /^(?:--from=(\S+) )?(.*)$/.exec(copy)!;
    if (stage) {
      expect(stages.map(([, name]) => name)).toContain(stage);
      continue;
    }
    for (const path of rest!.split(' ').slice(0, -1)) {
      expect(isSent(path), `${path} in .dockerignore`).toBe(true);
      expect(existsSync(path), path).toBe(true);
    }
  }
});

test('secrets, data and history are not sent to the builder', () => {
  for (const path of ['.env', '.data', '.git', 'node_modules', 'test', 'dist']) expect(isSent(path)).toBe(false);
});

test('the last stage has no development packages, does not run as root, and has a health check', () => {
  expect(
    all('RUN')
      .filter((command) => command.includes('npm ci'))
      .every((command) => command.includes('--ignore-scripts')),
  ).toBe(true);
  expect(instructions.some(([, rest]) => rest.includes('npm ci --omit=dev'))).toBe(true);
  // NOTICE promises that the image does not contain the package under the SSPL.
  expect(all('RUN').find((command) => command.includes('--omit=dev'))).toContain('rm -rf node_modules/@0q');
  expect(ofRuntime('COPY')).toContain('--from=dependencies /app/node_modules node_modules');
  expect(ofRuntime('USER')).toEqual(['node']);
  expect(ofRuntime('ENV').join(' ')).toContain('NODE_ENV=production');
  expect(ofRuntime('HEALTHCHECK')[0]).toContain('CMD ["node", "ops/healthcheck.mjs", "api"]');
});

test('the image starts the program that the package names', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { riskgraph: string } };
  expect(ofRuntime('ENTRYPOINT')[0]).toContain(`"${bin.riskgraph}"`);
  expect(ofRuntime('CMD')).toEqual(['["api"]']);
});
