/** Covers src/http/upgrades.ts, src/http/socket-origin.ts, src/http/graphql-socket.ts. */
// Threat: a page of another site opens a WebSocket from the browser of a user.

import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { isAllowedOrigin } from '../../src/http/socket-origin.js';
import { startSystem } from '../support/system.js';

const app = 'https://app.example.org';
const system = await startSystem({ worker: false, environment: { CORS_ORIGINS: app } });
const { host } = new URL(system.url);

interface Opening {
  readonly status: number;
  readonly body: string;
}

/** Requests a WebSocket as a browser does. 101 is the only status that opens one. */
function open(headers: Record<string, string>, path = '/graphql'): Promise<Opening> {
  return new Promise((resolve, reject) => {
    const asked = request(`${system.url}${path}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'graphql-transport-ws',
        ...headers,
      },
    });
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, body: '' });
    });
    asked.on('response', async (response) =>
      resolve({ status: response.statusCode!, body: (await response.toArray()).join('') }),
    );
    asked.on('error', reject).end();
  });
}

describe('a page of another origin', () => {
  // Shows: 164.312(e)(1), owasp/cross-site-requests
  test.each([
    'https://evil.example',
    'https://app.example.org.evil.example',
    `https://${host}.evil.example`,
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'http://localhost',
    'null',
    'file://',
    'garbage',
    '',
    `http://evil.example@${host}.example`,
  ])('%s opens no WebSocket', async (origin) => {
    const { status, body } = await open({ origin });
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({
      errors: [{ message: expect.stringContaining('CORS_ORIGINS'), extensions: { code: 'FORBIDDEN' } }],
    });
  });

  test('opens no WebSocket either when it writes the request in other ways', async () => {
    expect((await open({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).status).toBe(403);
    expect((await open({ origin: 'https://evil.example', host: 'a b' })).status).toBe(400);
    expect((await open({ origin: 'https://evil.example' }, '/graphql?a=1')).status).toBe(403);
  });
});

test.each([app, `http://${host}`, `https://${host}`])('a page of %s opens a WebSocket', async (origin) => {
  expect((await open({ origin })).status).toBe(101);
});

test('a client that is not a browser opens a WebSocket', async () => {
  expect((await open({})).status).toBe(101);
});

test('the default port of a scheme may be written or left out', () => {
  const from = (origin: string, host: string): boolean => isAllowedOrigin({ origin, host }, []);
  expect(from('https://risk.example.org', 'risk.example.org:443')).toBe(true);
  expect(from('http://risk.example.org', 'RISK.example.org:80')).toBe(true);
  expect(from('https://risk.example.org', 'risk.example.org:80')).toBe(false);
  expect(from('http://[::1]:4000', '[::1]:4000')).toBe(true);
  expect(from('https://risk.example.org', '')).toBe(false);
  expect(isAllowedOrigin({ origin: 'https://evil.example', host: 'x' }, ['*'])).toBe(true);
});
