import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createApp } from '../../src/app.js';
import { startApi } from '../../src/api.js';
import { StartupError } from '../../src/errors.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

/** A second API of the same deployment, with the settings of production. */
async function production(): Promise<string> {
  const app = await createApp({ ...system.app.config, environment: 'production' }, system.app.logger);
  const server = await startApi(app);
  onTestFinished(async () => {
    await server.close();
    await app.close();
  });
  return server.url;
}

const get = (url: string, headers: Record<string, string> = {}): Promise<Response> => fetch(url, { headers });

describe('GET /graphql', () => {
  test('is the Apollo Sandbox outside production', async () => {
    const response = await get(`${system.url}/graphql`, { accept: 'text/html' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await response.text()).toContain('embeddable-sandbox.cdn.apollographql.com');
  });

  test('gives no page in production, and introspection is off there too', async () => {
    const url = await production();
    const page = await get(`${url}/graphql`, { accept: 'text/html' });
    expect(page.status).toBe(400);
    expect(await page.text()).not.toContain('<html');
    const introspection = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __schema { queryType { name } } }"}',
    });
    expect(await introspection.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('answers only queries with a header that a foreign page cannot make a browser send', async () => {
    const query = `${system.url}/graphql?query=${encodeURIComponent('{ viewer { role } }')}`;
    const headers = { authorization: `Bearer ${await system.token('SERVICE')}` };
    expect(await (await get(query, headers)).json()).toMatchObject({ data: { viewer: { role: 'SERVICE' } } });
    expect(await (await get(query, { 'apollo-require-preflight': 'yes' })).json()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const forged = await get(query, {});
    expect(forged.status).toBe(400);
    expect(await forged.json()).toMatchObject({
      errors: [{ message: expect.stringContaining('CSRF'), extensions: { code: 'BAD_USER_INPUT' } }],
    });
    const form = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/plain' },
      body: '{"query":"{ viewer { role } }"}',
    });
    expect(form.status).toBe(400);
    const mutation = await get(
      `${system.url}/graphql?query=${encodeURIComponent('mutation { deletePatient(id: "x") { id } }')}`,
      { ...headers, 'apollo-require-preflight': 'yes' },
    );
    expect(mutation.status).toBe(405);
  });
});

describe('/health', () => {
  test('says the state of each dependency, and why one is down', async () => {
    expect(await (await get(`${system.url}/health`)).json()).toEqual({
      status: 'down',
      dependencies: { mongodb: 'up', redis: 'up', riskModels: 'up', workers: 'down' },
      reasons: {
        workers: 'No worker is alive, so accepted jobs wait: start one, or look into the log of those that run.',
      },
    });
    expect(await (await get(`${system.url}/health/live`)).json()).toEqual({ status: 'up' });
    expect(await (await get(`${system.url}/health/ready`)).json()).toEqual({
      status: 'up',
      dependencies: { mongodb: 'up' },
    });
  });
});

describe('/metrics', () => {
  test('is in the text format of Prometheus', async () => {
    await system.post('{ viewer { role } }', undefined, await system.token('SERVICE'));
    const response = await get(`${system.url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toMatch(
      /^riskgraph_http_request_duration_seconds_count\{method="POST",route="\/graphql",status="200"\} \d+$/m,
    );
    await expect
      .poll(async () => (await get(`${system.url}/metrics`)).text())
      .toMatch(/^riskgraph_open_scoring_jobs\{state="QUEUED"\} 0$/m);
  });

  test('counts errors by their code, which the status 200 of GraphQL hides', async () => {
    const errors = async (): Promise<number> => {
      const text = await (await get(`${system.url}/metrics`)).text();
      return Number(/^riskgraph_graphql_errors_total\{code="UNAUTHENTICATED"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const before = await errors();
    await system.post('{ patients { totalCount } }');
    expect(await errors()).toBe(before + 1);
  });

  test('counts an error once that tells several wrong values', async () => {
    const errors = async (): Promise<number> => {
      const text = await (await get(`${system.url}/metrics`)).text();
      return Number(/^riskgraph_graphql_errors_total\{code="BAD_USER_INPUT"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const token = await system.token('SERVICE');
    const before = await errors();
    const { errors: told } = await system.post('{ patients(first: "a", after: 5) { totalCount } }', undefined, token);
    expect(told).toHaveLength(1);
    expect(await errors()).toBe(before + 1);
  });

  test('has no label that a caller can choose', async () => {
    await get(`${system.url}/Canary-4711?x=Canary`);
    expect(await (await get(`${system.url}/metrics`)).text()).not.toContain('Canary');
  });
});

test('a port in use is reported in one line, and the API leaves no connection open', async () => {
  const config = { ...system.app.config, port: system.server.port };
  const app = await createApp(config, system.app.logger);
  onTestFinished(() => app.close());
  const connect = vi.spyOn(app, 'connectRedis');
  await expect(startApi(app)).rejects.toThrow(
    new StartupError(
      `Port ${system.server.port} of 127.0.0.1 is in use by another program: stop it, or set PORT to a free one.`,
    ),
  );
  const opened = connect.mock.results.map(({ value }) => value as Redis);
  expect(opened.length).toBeGreaterThan(0);
  await expect.poll(() => opened.map(({ status }) => status)).toEqual(opened.map(() => 'end'));
});
