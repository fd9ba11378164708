import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { temporaryDirectory } from '../support/temporary-directory.js';

const setup = resolve('scripts/setup.sh');

/** A machine whose PATH holds only `programs` (name to shell script). Each writes its call to `calls`. */
async function machine(programs: Record<string, string>) {
  const directory = await temporaryDirectory();
  const write = (name: string, body: string): void => {
    writeFileSync(join(directory, name), `#!/bin/sh\necho "${name} $*" >> '${directory}/calls'\n${body}\n`);
    chmodSync(join(directory, name), 0o755);
  };
  Object.entries(programs).forEach(([name, body]) => write(name, body));
  return {
    /** Runs a step of setup.sh. `calls` are the programs that it called, without those that only read. */
    run(step: string, environment: Record<string, string> = {}) {
      const { status, stdout, stderr } = spawnSync('/bin/sh', ['-euc', `. '${setup}'; ${step}`], {
        cwd: directory,
        env: { PATH: directory, ...environment },
        encoding: 'utf8',
      });
      const calls = existsSync(join(directory, 'calls'))
        ? readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n')
        : [];
      return { status, output: stdout + stderr, calls: calls.filter((call) => !/^(id|grep|node|env) /.test(call)) };
    },
    /** The machine's PATH and its working folder. */
    directory,
  };
}

const passOn = { sudo: 'if [ "$1" = -n ]; then shift; fi; exec "$@"', env: 'shift; exec "$@"', grep: 'exit 1' };
const root = { ...passOn, id: 'echo 0' };
const user = { ...passOn, id: 'echo 1000' };
/** An apt-get whose install makes redis-server appear. */
const aptGet =
  'case "$*" in *install*) printf "#!/bin/sh\\n" > "${0%/*}/redis-server"; /bin/chmod +x "${0%/*}/redis-server";; esac';
const installed = ['apt-get -qq update', 'apt-get -qq install -y --no-install-recommends redis-server'];

test('redis-server is installed by apt-get, saying so; by root without sudo', async () => {
  const result = (await machine({ ...root, 'apt-get': aptGet })).run('install_redis');
  expect(result).toMatchObject({ status: 0, output: '==> Installing redis-server (apt-get install redis-server)\n' });
  expect(result.calls.filter((call) => call.startsWith('apt-get'))).toEqual(installed);
  expect(result.calls.some((call) => call.startsWith('sudo'))).toBe(false);
});

test('a user who is not root installs it through sudo, which asks for no password without a terminal', async () => {
  const { status, calls } = (await machine({ ...user, 'apt-get': aptGet })).run('install_redis');
  expect(status).toBe(0);
  expect(calls.slice(0, 4)).toEqual([
    'sudo -n apt-get -qq update',
    installed[0],
    `sudo -n env DEBIAN_FRONTEND=noninteractive ${installed[1]}`,
    installed[1],
  ]);
});

test('without root and sudo, the error names the command to run as root', async () => {
  const { sudo: _, ...withoutSudo } = user;
  const { status, output, calls } = (await machine({ ...withoutSudo, 'apt-get': aptGet })).run('install_redis');
  expect({ status, calls }).toEqual({ status: 1, calls: [] });
  expect(output).toContain(
    "error: installing redis-server needs root, and there is no sudo: run 'apt-get install redis-server' as root, or " +
      'set REDIS_URL',
  );
});

test('on a Mac, brew installs it', async () => {
  const { status, calls } = (await machine({ ...user, brew: aptGet })).run('install_redis');
  expect({ status, calls }).toEqual({ status: 0, calls: ['brew install --quiet redis'] });
});

test('without apt-get and brew, the error names what to install', async () => {
  const { status, output } = (await machine(user)).run('install_redis');
  expect({ status, output }).toEqual({
    status: 1,
    output:
      'error: redis-server is not on the PATH, and there is neither apt-get nor brew to install it: install Redis ' +
      '6.2 or newer, or set REDIS_URL to a Redis that runs already\n',
  });
});

test('nothing is installed if redis-server or REDIS_URL is there; the tests always need redis-server', async () => {
  const without = await machine({ ...root, 'apt-get': aptGet });
  expect(without.run('install_redis', { REDIS_URL: 'redis://elsewhere' })).toEqual({
    status: 0,
    output: '',
    calls: [],
  });
  expect(without.run('install_redis always', { REDIS_URL: 'redis://elsewhere' }).calls).toEqual(
    expect.arrayContaining(installed),
  );
  expect((await machine({ ...root, 'redis-server': '', 'apt-get': aptGet })).run('install_redis')).toEqual({
    status: 0,
    output: '',
    calls: [],
  });
});

/** An apt-get whose install makes the tools of Prometheus appear. */
const aptGetProm =
  'case "$*" in *install*) for tool in promtool amtool; do printf "#!/bin/sh\\n" > "${0%/*}/$tool"; ' +
  '/bin/chmod +x "${0%/*}/$tool"; done;; esac';

test('the tools of Prometheus are installed by apt-get; without it a warning says that the rules are not tried', async () => {
  const result = (await machine({ ...root, 'apt-get': aptGetProm })).run('install_promtool; install_promtool');
  expect(result).toMatchObject({
    status: 0,
    output: '==> Installing promtool and amtool (apt-get install prometheus prometheus-alertmanager)\n',
  });
  expect(result.calls.filter((call) => call.startsWith('apt-get'))).toEqual([
    'apt-get -qq update',
    'apt-get -qq install -y --no-install-recommends prometheus prometheus-alertmanager',
  ]);
  const without = (await machine(root)).run('install_promtool; check_alerts');
  expect(without.status).toBe(0);
  expect(without.output).toMatch(/^warning: promtool and amtool are not here/);
  const offline = (await machine({ ...root, 'apt-get': 'exit 1' })).run('install_promtool');
  expect(offline.status).toBe(0);
  expect(offline.output).toContain('warning: promtool and amtool are not here');
});

/** A program `node` that only prints this version. */
const nodeOf = (version: string) => ({ node: `echo ${version}`, npm: '' });

test('a missing Node.js or npm is reported in one line', async () => {
  expect((await machine({})).run('check_node')).toMatchObject({
    status: 1,
    output: 'error: Node.js is not on the PATH: install version 24 (https://nodejs.org), then run this again\n',
  });
  expect((await machine({ node: 'echo v24.1.0' })).run('check_node')).toMatchObject({
    status: 1,
    output: expect.stringContaining('npm is not on the PATH') as string,
  });
});

test.each(['v0.12.18', 'v18.20.4', 'v20.18.3'])('Node.js %s is refused as too old, in one line', async (version) => {
  expect((await machine(nodeOf(version))).run('check_node')).toEqual({
    status: 1,
    output:
      `error: Node.js ${version} is too old: install version 24, or any from 20.19 to 26 (https://nodejs.org), ` +
      `then run this again\n`,
    calls: [],
  });
});

test.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.21.0', 'v26.10.0', process.version])(
  'Node.js %s is accepted without output',
  async (version) => {
    expect((await machine(nodeOf(version))).run('check_node')).toEqual({ status: 0, output: '', calls: [] });
  },
);

test('a Node.js newer than every tried version is accepted with a warning in one line', async () => {
  const { status, output } = (await machine(nodeOf('v30.1.0'))).run('check_node');
  expect({ status, output }).toEqual({
    status: 0,
    output:
      'warning: Node.js v30.1.0 is newer than 26, the newest tested with RiskGraph: if something fails, install ' +
      'version 24 (https://nodejs.org)\n',
  });
});

test('a node that prints no version is refused in one line', async () => {
  const { status, output } = (await machine(nodeOf('hello'))).run('check_node');
  expect({ status, output }).toEqual({
    status: 1,
    output:
      "error: node --version says 'hello', which is no version: install Node.js 24 (https://nodejs.org), then run " +
      'this again\n',
  });
});

test('packages are installed when they are missing or older than the lock file, and not otherwise', async () => {
  const computer = await machine({ npm: '/bin/mkdir -p node_modules; : > node_modules/.package-lock.json' });
  writeFileSync(join(computer.directory, 'package-lock.json'), '{}');
  const command = 'npm ci --ignore-scripts --no-audit --no-fund --loglevel=error';
  expect(computer.run('install_packages').calls).toEqual([command]);
  expect(computer.run('install_packages').calls).toEqual([command]);
});

test('of what the tests of ops/ need, apt-get installs the parts that are missing', async () => {
  const result = (await machine({ ...root, 'apt-get': '', nginx: '', logrotate: '' })).run('install_deployment_tools');
  expect(result).toMatchObject({
    status: 0,
    output: '==> Installing what the tests of ops/ need (apt-get install systemd)\n',
    calls: ['apt-get -qq update', 'apt-get -qq install -y --no-install-recommends systemd'],
  });
  const without = (await machine({ ...root, nginx: '', logrotate: '' })).run('install_deployment_tools');
  expect(without).toMatchObject({ status: 0, calls: [] });
  expect(without.output).toMatch(/^warning: systemd cannot be installed here/);
});
