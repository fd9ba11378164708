import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { loadConfig } from '../../src/config/config.js';
import { compose, environmentOf, interpolate, ours, secondsToEnd, services } from '../support/compose.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const read = (path: string): string => readFileSync(path, 'utf8');
const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(interpolate(duration))![1]);

/** Runs scripts/write-secrets.sh. @returns the folder of the files */
function writeSecrets(folder: string): string {
  execFileSync('sh', ['scripts/write-secrets.sh', folder], { stdio: 'ignore' });
  return folder;
}

test('write-secrets.sh writes every secret of Compose, and changes none that is there', async () => {
  const folder = writeSecrets(join(await temporaryDirectory(), 'secrets'));
  const names = Object.values(compose.secrets).map(({ file }) => basename(file));
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
  const before = names.map((name) => read(join(folder, name)));
  expect(new Set(before).size).toBe(names.length);
  writeSecrets(folder);
  expect(names.map((name) => read(join(folder, name)))).toEqual(before);
});

test('without openssl no secret is written, and the reason is told', async () => {
  const folder = join(await temporaryDirectory(), 'secrets');
  const { status, stderr } = spawnSync('/bin/sh', ['scripts/write-secrets.sh', folder], {
    env: { PATH: '/no/such/folder' },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, 'error: openssl is not on the PATH: install it, then run this again\n']);
  expect(existsSync(folder)).toBe(false);
});

test('only the owner looks into the folder of secrets; the users of the containers can read the mounted files', async () => {
  const folder = writeSecrets(join(await temporaryDirectory(), 'secrets'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o444);
  for (const file of ['.gitignore', '.dockerignore']) expect(read(file)).toMatch(/^(?:ops\/secrets\/|\*)$/m);
});

test.each(ours)('%s starts in production with the secrets that write-secrets.sh wrote', async (_, service) => {
  const folder = writeSecrets(join(await temporaryDirectory(), 'secrets'));
  const environment = environmentOf(service);
  const mounted = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value?.startsWith('/run/secrets/') ? join(folder, basename(value)) : value,
    ]),
  );
  const config = loadConfig(mounted);
  expect(config.environment).toBe('production');
  const [mongo, redis] = [new URL(config.mongoUri!), new URL(config.redisUrl!)];
  expect({ host: mongo.host, replicaSet: mongo.searchParams.get('replicaSet') }).toEqual({
    host: 'mongodb:27017',
    replicaSet: 'rs0',
  });
  expect(mongo.password).toBe(read(join(folder, 'mongo_password')).trim());
  expect({ host: redis.host, password: redis.password }).toEqual({
    host: 'redis:6379',
    password: read(join(folder, 'redis_password')).trim(),
  });
  expect(config.secretKey).toBe(read(join(folder, 'secret_key')).trim());
  expect(config.masterKeys.map(({ id }) => id)).toEqual([`${new Date().getFullYear()}-1`]);
});

test('a container is killed only after its process had the time to drain and to end its work', () => {
  const program = readdirSync('src/commands')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(`src/commands/${name}`))
    .join('\n');
  const drain = Number(/productionDrainSeconds = (\d+)/.exec(program)![1]);
  for (const [name, { stop_grace_period }] of ours)
    expect(seconds(stop_grace_period!), name).toBeGreaterThanOrEqual(drain + secondsToEnd() + 10);
});

test.each(services)('%s has a limit of processes', (_, { pids_limit }) => {
  expect(pids_limit).toBeGreaterThanOrEqual(64);
  expect(pids_limit).toBeLessThanOrEqual(4_096);
});

test('an API has descriptors for as many sockets as the settings allow', () => {
  const { soft, hard } = compose.services.api!.ulimits!.nofile;
  const { socketLimits } = loadConfig({});
  // An API keeps 160 descriptors. WebSockets get at least half of the others.
  expect((soft - 160) / 2).toBeGreaterThanOrEqual(socketLimits.socketsPerNode);
  expect(hard).toBe(soft);
});

test('more than one API runs, each on a port of this host alone, as many ports as APIs', () => {
  const { scale, ports } = compose.services.api!;
  const [address, host, container] = interpolate(ports![0]!).split(':');
  const [first, last] = host!.split('-').map(Number) as [number, number];
  expect({ address, container }).toEqual({ address: '127.0.0.1', container: '4000' });
  expect(last - first + 1).toBe(Number(interpolate(scale!)));
  expect(last).toBeGreaterThan(first);
});

test('nginx alone is reachable from outside; the APIs and the pages of Prometheus are reachable on this host', () => {
  const published = Object.fromEntries(services.flatMap(([name, { ports }]) => (ports ? [[name, ports]] : [])));
  expect(Object.keys(published).sort()).toEqual(['alertmanager', 'api', 'nginx', 'prometheus']);
  for (const name of ['alertmanager', 'prometheus'])
    for (const port of published[name]!) expect(port).toMatch(/^127\.0\.0\.1:/);
  expect(compose.networks.databases).toEqual({ internal: true });
  const onDatabases = ['api', 'worker', 'mongodb', 'mongodb-setup', 'redis', 'prometheus', 'alertmanager'];
  for (const [name, { networks }] of services) {
    expect(networks.includes('databases'), name).toBe(onDatabases.includes(name));
    expect(networks.includes('public'), name).toBe(name in published);
  }
});

test('mongosh writes nothing into the data volume, and no log file per health check', () => {
  const { healthcheck, environment, volumes } = compose.services.mongodb!;
  expect(healthcheck!.test).toContain('mongosh');
  expect(environment!.HOME).toBe('/tmp');
  expect(volumes).toContain('./ops/mongodb/mongosh.conf:/etc/mongosh.conf:ro');
  expect(parse(read('ops/mongodb/mongosh.conf'))).toMatchObject({ mongosh: { disableLogging: true } });
});

test('the script that sets up MongoDB reads the secrets that its service has', () => {
  const named = [...read('ops/mongodb/initiate-replica-set.js').matchAll(/secret\('(\w+)'\)/g)].map(([, name]) => name);
  expect(named.sort()).toEqual([...compose.services['mongodb-setup']!.secrets!].sort());
});

test('Prometheus finds API, workers and Alertmanager under the names of the services, and keeps to the disk it has', () => {
  const { scrape_configs, alerting } = parse(read('ops/prometheus/prometheus.yml')) as {
    scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  };
  const port = Number(compose.services.worker!.environment!.METRICS_PORT);
  for (const { dns_sd_configs } of scrape_configs)
    for (const { names, port: scraped } of dns_sd_configs) {
      expect(scraped).toBe(port);
      for (const name of names) expect(compose.services).toHaveProperty(name);
    }
  expect(alerting.alertmanagers[0]!.static_configs[0]!.targets).toEqual(['alertmanager:9093']);
  expect(compose.services.prometheus!.command!.join(' ')).toMatch(/--storage\.tsdb\.retention\.size=\d+GB/);
});

test('nginx in Compose finds all APIs by name, has the name of the deployment, and needs no rights of root', async () => {
  const result = join(await temporaryDirectory(), 'nginx.conf');
  const start = (name: string) =>
    spawnSync('sh', ['ops/nginx/start-in-compose.sh', 'ops/nginx/nginx.conf', result], {
      env: { PATH: process.env.PATH, SERVER_NAME: name },
      encoding: 'utf8',
    });
  const nameless = start('');
  expect([nameless.status === 0, nameless.stderr]).toEqual([false, expect.stringContaining('set SERVER_NAME in .env')]);
  expect(start('scores.hospital.org').status).toBe(0);
  const conf = read(result);
  const servers = [...conf.matchAll(/^ +server ([\w.]+:\d+)( resolve)? /gm)].map(([, address, again]) => [
    address,
    again,
  ]);
  expect(servers.length).toBeGreaterThan(1);
  expect(new Set(servers.map(String))).toEqual(new Set(['api:4000, resolve']));
  expect(conf).toContain('resolver 127.0.0.11 ');
  expect(conf.match(/server_name .*;/g)).toEqual([
    'server_name scores.hospital.org;',
    'server_name scores.hospital.org;',
  ]);
  expect(conf).not.toMatch(/^user /m);
  // It writes below /tmp alone, and logs to its output.
  expect(conf.match(/(?<!\S)\/(?:var|run)\/\S+/g)).toBeNull();
  const { volumes, tmpfs } = compose.services.nginx!;
  expect(tmpfs!.map((place) => place.split(':')[0])).toEqual(['/tmp', '/var/cache/nginx']);
  for (const [, file] of conf.matchAll(/ssl_certificate(?:_key)? (\S+\/)\S+;/g))
    expect(volumes!.some((volume) => volume.endsWith(`:${file!.replace(/\/$/, '')}:ro`))).toBe(true);
});

test('the commands of docs/deployment.md give nginx in Compose its name and its certificate, and the APIs their proxy', async () => {
  const folder = await temporaryDirectory();
  const section = read('docs/deployment.md').split('\n## Docker Compose\n')[1]!.split('\n## ')[0]!;
  const commands = [.../\n((?: {4}.*\n)+)/.exec(section)![1]!.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!);
  cpSync('scripts/write-secrets.sh', join(folder, 'scripts/write-secrets.sh'));
  for (const name of ['riskgraph.crt', 'riskgraph.key']) writeFileSync(join(folder, name), name);
  // There is no Docker. The user of nginx can be given a file by root alone.
  const before = commands.slice(
    0,
    commands.findIndex((line) => line.startsWith('docker ')),
  );
  const script = before.join('\n').replace('-o 101 ', process.getuid?.() === 0 ? '-o 101 ' : '');
  const ran = spawnSync('sh', ['-eu', '-c', script], { cwd: folder, encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(commands.slice(before.length).join('\n')).toContain('docker compose --profile production up');
  const given = Object.fromEntries(
    read(join(folder, '.env'))
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
  const conf = join(folder, 'nginx.conf');
  const start = spawnSync('sh', ['ops/nginx/start-in-compose.sh', 'ops/nginx/nginx.conf', conf], {
    env: { PATH: process.env.PATH, SERVER_NAME: given.SERVER_NAME ?? '' },
    encoding: 'utf8',
  });
  expect([start.status, start.stderr]).toEqual([0, '']);
  for (const [, file] of read(conf).matchAll(/ssl_certificate(?:_key)? \S+\/(\S+);/g))
    expect(existsSync(join(folder, 'ops/secrets/tls', file!)), file).toBe(true);
  expect(environmentOf(compose.services.api!, given).TRUST_PROXY).toBe('uniquelocal');
});
