/** Covers src/http/security-headers.ts, src/http/explorer-pages.ts. */
// Threat: a page frames RiskGraph, sends a false host, or reads the cache of a browser.

import { describe, expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const production = await startSystem({
  worker: false,
  environment: { NODE_ENV: 'production', TRUST_PROXY: '127.0.0.1' },
});
const query = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"query":"{ viewer { role } }"}',
};

/** Directives of a content security policy, by their names. */
const directives = (policy: string | null): Map<string, string[]> =>
  new Map(
    (policy ?? '')
      .split(';')
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name, ...sources]) => [name!, sources]),
  );

describe.each([
  ['development', system],
  ['production', production],
] as const)('in %s', (_name, { url }) => {
  test.each<[string, RequestInit | undefined]>([
    ['/graphql', query],
    ['/graphql', undefined],
    ['/health', undefined],
    ['/metrics', undefined],
    ['/nowhere', undefined],
  ])('the answer of %s cannot be a page, a script or a frame of another page', async (path, init) => {
    const { headers } = await fetch(`${url}${path}`, init);
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  test('no cache keeps patients', async () => {
    expect((await fetch(`${url}/graphql`, query)).headers.get('cache-control')).toBe('no-store');
    const get = await fetch(`${url}/graphql?query=${encodeURIComponent('{ viewer { role } }')}`, {
      headers: { 'apollo-require-preflight': 'yes' },
    });
    expect(get.headers.get('cache-control')).toBe('no-store');
  });
});

describe('a browser is told to insist on TLS', () => {
  const hsts = async (headers: Record<string, string>, url = production.url): Promise<string | null> =>
    (await fetch(`${url}/graphql`, { ...query, headers: { ...query.headers, ...headers } })).headers.get(
      'strict-transport-security',
    );

  // Shows: 164.312(e)(1)
  test('when a trusted proxy says that the request came over TLS', async () => {
    expect(await hsts({ 'x-forwarded-proto': 'https' })).toBe('max-age=31536000; includeSubDomains');
  });

  test('but not without TLS, or when an untrusted client says so', async () => {
    expect(await hsts({})).toBeNull();
    expect(await hsts({ 'x-forwarded-proto': 'http' })).toBeNull();
    expect(await hsts({ 'x-forwarded-proto': 'https' }, system.url)).toBeNull();
  });
});

describe('the Sandbox', () => {
  // Shows: owasp/introspection
  test('runs only its own scripts', async () => {
    const page = await fetch(`${system.url}/graphql`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    const policy = directives(page.headers.get('content-security-policy'));
    const scripts = [...html.matchAll(/<script\b([^>]*)>/g)].map(([, attributes]) => attributes!);
    const styles = [...html.matchAll(/<style\b([^>]*)>/g)].map(([, attributes]) => attributes!);
    expect(scripts.length).toBeGreaterThan(0);
    const nonce = /^'nonce-(.{20,})'$/.exec(policy.get('script-src')![0]!)![1]!;
    for (const attributes of [...scripts, ...styles]) expect(attributes).toContain(nonce);
    for (const [, source] of scripts.join(' ').matchAll(/src="(https:\/\/[^/"]+)/g))
      expect(policy.get('script-src')).toContain(source);
    expect([...policy.values()].flat()).not.toEqual(expect.arrayContaining(["'unsafe-inline'"]));
    expect([...policy.values()].flat()).not.toEqual(expect.arrayContaining(["'unsafe-eval'"]));
    expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
    expect(policy.get('frame-src')).toEqual(['https://sandbox.embed.apollographql.com']);
    expect(policy.get('connect-src')).toContain(`ws://${new URL(system.url).host}`);

    const again = await fetch(`${system.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(again.headers.get('content-security-policy')).not.toContain(nonce);
  });

  // Shows: owasp/introspection
  test('is not there in production', async () => {
    const page = await fetch(`${production.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(400);
    expect(await page.text()).not.toMatch(/<html/i);
  });
});

describe('GraphiQL', () => {
  // Shows: owasp/introspection
  test('runs only scripts of this server, none inline, and connects to this server alone', async () => {
    const page = await fetch(`${system.url}/graphiql`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    const policy = directives(page.headers.get('content-security-policy'));
    expect(policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.get('script-src')).toEqual(["'self'"]);
    expect(policy.get('worker-src')).toEqual(["'self'"]);
    expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
    const { host } = new URL(system.url);
    expect(policy.get('connect-src')).toEqual(["'self'", `ws://${host}`, `wss://${host}`]);
    for (const [, attributes, text] of html.matchAll(/<script\b([^>]*)>([^<]*)/g)) {
      expect(attributes).toMatch(/src="\/graphiql\/assets\//);
      expect(text!.trim()).toBe('');
    }
    // Own style elements need the nonce of this answer.
    const [, nonce] = /'nonce-(.{20,})'/.exec(policy.get('style-src-elem')!.join(' '))!;
    expect(html).toContain(nonce);
    expect(html).not.toContain('NONCE');
    const again = await fetch(`${system.url}/graphiql`);
    expect(again.headers.get('content-security-policy')).not.toContain(nonce);
  });

  // Shows: owasp/introspection
  test('is not there in production', async () => {
    expect((await fetch(`${production.url}/graphiql`)).status).toBe(404);
  });
});

// Shows: owasp/request-smuggling
test('an invalid host is refused, and no answer links to it', async () => {
  const { request } = await import('node:http');
  for (const [host, path] of [
    ['a b', '/graphql'],
    ['evil.example/path', '/graphql'],
    ['evil.example; script-src *', '/graphql'],
    ['evil.example; script-src *', '/graphiql'],
    ['"', '/graphql'],
  ]) {
    const status = await new Promise((resolve, reject) => {
      request(`${system.url}${path}`, { headers: { accept: 'text/html', host } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end();
    });
    expect(status, host).toBe(400);
  }
});
