import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { oldestNode, refuseOldNode } from '../../src/commands/node-version.js';
import { StartupError } from '../../src/errors.js';

test.each(['18.20.4', '20.18.3'])('Node.js %s is refused in one line', (version) => {
  expect(() => refuseOldNode(version)).toThrow(
    new StartupError(
      `Node.js ${version} is too old: install version 24, or any from 20.19 to 26 (https://nodejs.org).`,
    ),
  );
});

test.each(['20.19.0', '22.0.0', '24.21.0', '26.10.0', '30.0.0', process.versions.node])(
  'Node.js %s is accepted',
  (version) => {
    expect(() => refuseOldNode(version)).not.toThrow();
  },
);

test('the oldest version is the same in package.json, in the set-up script and in the README', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  expect(engines.node).toBe(`>=${oldestNode} <27`);
  for (const file of ['scripts/setup.sh', 'README.md']) {
    expect(readFileSync(file, 'utf8')).toContain(`any from ${oldestNode} to 26`);
  }
});
