/** Covers src/http/server.ts, src/http/request-admission.ts. */
// Threat: a page of another site makes the browser of a user send a request to RiskGraph.

import { describe, expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const app = 'https://app.example.org';
const system = await startSystem({ worker: false, environment: { CORS_ORIGINS: `${app}, http://localhost:3000` } });
const closed = await startSystem({ worker: false });
const open = await startSystem({ worker: false, environment: { CORS_ORIGINS: '*' } });
const token = await system.token('CLINICIAN');
const authorization = `Bearer ${token}`;
const create = '{"query":"mutation { createPatient(input: { mrn: \\"forged\\" }) { id } }"}';

/** Content types without a preflight: https://fetch.spec.whatwg.org/#cors-safelisted-request-header */
const forms = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain; application/json',
  undefined,
];

describe('a form on a page of another site', () => {
  // Shows: owasp/cross-site-requests
  test.each(forms)('that posts %s changes nothing', async (type) => {
    const before = await system.counts();
    const response = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { authorization, ...(type && { 'content-type': type }) },
      body: type ? create : new Blob([create]),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(await system.counts()).toEqual(before);
  });

  // Shows: owasp/cross-site-requests
  test('or a link there reads nothing with GET, and never changes anything', async () => {
    const before = await system.counts();
    const query = encodeURIComponent('{ viewer { role } }');
    const withoutToken: Record<string, string>[] = [{}, { authorization: '' }, { origin: 'https://evil.example' }];
    for (const headers of withoutToken) {
      const link = await fetch(`${system.url}/graphql?query=${query}`, { headers });
      expect(link.status).toBe(400);
      const told = expect.stringMatching(/CSRF.*authorization: Bearer .*apollo-require-preflight/) as string;
      const answer = (await link.json()) as { data?: unknown };
      expect(answer).toMatchObject({ errors: [{ message: told }] });
      expect(answer.data ?? null).toBeNull();
    }
    const mutation = await fetch(
      `${system.url}/graphql?query=${encodeURIComponent('mutation { createPatient(input: { mrn: "forged" }) { id } }')}`,
      { headers: { authorization, 'apollo-require-preflight': 'yes' } },
    );
    expect(mutation.status).toBe(405);
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${system.url}/graphql`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        body: create,
      });
      expect(response.status, method).toBe(405);
    }
    expect(await system.counts()).toEqual(before);
  });
});

// Shows: owasp/cross-site-requests
test('a query with GET needs no other header than the access token, which no form can send', async () => {
  const query = encodeURIComponent('{ viewer { role } }');
  const answer = await fetch(`${system.url}/graphql?query=${query}`, { headers: { authorization } });
  expect(await answer.json()).toMatchObject({ data: { viewer: { role: 'CLINICIAN' } } });
  // A browser sends a remembered password on its own. It is no credential here, so it reads nothing.
  const remembered = { authorization: `Basic ${Buffer.from('ada:password').toString('base64')}` };
  const basic = await fetch(`${system.url}/graphql?query=${query}`, { headers: remembered });
  expect(await basic.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
});

const preflight = (url: string, origin: string): Promise<Response> =>
  fetch(`${url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
const read = (url: string, origin: string): Promise<Response> =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: '{"query":"{ viewer { role } }"}',
  });

describe('a script on a page', () => {
  // Shows: owasp/cross-site-requests
  test.each([
    'https://evil.example',
    'https://app.example.org.evil.example',
    'http://app.example.org',
    'https://app.example.org:8443',
    'null',
    'https://APP.example.org',
  ])('of %s is not allowed by the answer', async (origin) => {
    for (const { url } of [system, closed]) {
      const asked = await preflight(url, origin);
      expect(asked.headers.get('access-control-allow-origin')).not.toBe(origin);
      expect(asked.headers.get('access-control-allow-origin')).not.toBe('*');
      expect((await read(url, origin)).headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('of the allow-list is allowed, without cookies', async () => {
    for (const origin of [app, 'http://localhost:3000']) {
      const asked = await preflight(system.url, origin);
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
      expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
      expect(asked.headers.get('access-control-allow-methods')).toBe('GET, POST');
      const answer = await read(system.url, origin);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toMatch(/origin/i);
      expect(answer.headers.get('access-control-expose-headers')).toBe('retry-after');
      for (const { headers } of [asked, answer]) expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test('of any origin is allowed if the settings say so, without cookies', async () => {
    const answer = await read(open.url, 'https://evil.example');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
