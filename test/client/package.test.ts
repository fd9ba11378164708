import { execFileSync } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the package with the client alone is found, typed and complete', async () => {
  const directory = await temporaryDirectory();
  const packed = execFileSync(process.execPath, ['scripts/pack-client.mjs', directory], {
    cwd: root,
    encoding: 'utf8',
  });
  execFileSync('tar', ['-xzf', packed.trim()], { cwd: directory });
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, '@graphql-typed-document-node'), { recursive: true });
  await cp(join(directory, 'package'), join(modules, 'riskgraph'), { recursive: true });
  await symlink(
    join(root, 'node_modules/@graphql-typed-document-node/core'),
    join(modules, '@graphql-typed-document-node/core'),
  );
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const program = `
    import { createClient, submit, type FollowedJob } from 'riskgraph/client';
    const client = createClient({ url: 'http://127.0.0.1:9' });
    export const scored: Promise<FollowedJob> = submit(client, { patientId: 'a', modelId: 'b' }).result;
    export const band: Promise<string | undefined> = scored.then(({ prediction }) => prediction?.riskBand);
    // @ts-expect-error a band is no number
    export const wrong: Promise<number> = scored.then(({ prediction }) => prediction!.riskBand);
  `;
  await writeFile(join(directory, 'program.ts'), program);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--module', 'NodeNext', '--target', 'ES2022', '--lib', 'ES2023,DOM'];
  execFileSync(process.execPath, [tsc, ...options, 'program.ts'], { cwd: directory, stdio: 'pipe' });
  const loaded = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      "const all = [await import('riskgraph/client'), await import('riskgraph/client/cache')];" +
        'console.log(all.flatMap((one) => Object.keys(one)).join())',
    ],
    { cwd: directory, encoding: 'utf8' },
  );
  expect(loaded.trim().split(',')).toEqual(
    expect.arrayContaining(['createClient', 'createSession', 'submit', 'watchJob', 'keys', 'typePolicies']),
  );
});
