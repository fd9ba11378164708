import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readExplorer } from '../../src/http/explorer-pages.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

/** Gets a page with its text. */
async function page(path: string): Promise<{ readonly response: Response; readonly text: string }> {
  const response = await fetch(`${system.url}${path}`, { headers: { accept: 'text/html' } });
  return { response, text: await response.text() };
}

/** The addresses that a text names with the quotes of HTML or JavaScript. */
const assetsIn = (text: string): string[] =>
  [...text.matchAll(/\/graphiql\/assets\/[\w.-]+\.(?:js|css|ttf)/g)].map(([address]) => address);

test('GraphiQL is a page of this server alone: every file that it names is there, and none is elsewhere', async () => {
  const { response, text } = await page('/graphiql');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect([...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!)).toSatisfy((all: string[]) =>
    all.every((address) => address.startsWith('/graphiql/assets/') || address === 'data:,'),
  );
  const seen = new Set<string>();
  const waiting = assetsIn(text);
  expect(waiting.length).toBeGreaterThan(1);
  for (let address = waiting.pop(); address; address = waiting.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    const asset = await fetch(`${system.url}${address}`);
    expect(asset.status, address).toBe(200);
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(asset.headers.get('content-type')).toMatch(/^(text\/javascript|text\/css|font\/ttf)/);
    const content = await asset.text();
    waiting.push(...assetsIn(content));
    // Scripts name their chunks and workers relative to themselves.
    for (const [, name] of content.matchAll(/["'`](?:\.\/|assets\/)([\w.-]+\.(?:js|css))["'`]/g))
      if (explorer.assets.has(name!)) waiting.push(`/graphiql/assets/${name}`);
  }
  expect([...seen].some((address) => address.includes('graphql.worker'))).toBe(true);
});

const explorer = (await readExplorer())!;

test('the first script of GraphiQL marks styles with the nonce, and loads the page after that', async () => {
  const { text } = await page('/graphiql');
  const [first] = assetsIn(text);
  const script = await (await fetch(`${system.url}${first}`)).text();
  // The editor makes style elements for its colours. Without the nonce, the policy of the page refuses them.
  const marks = script.indexOf('HTMLStyleElement');
  expect(script).toMatch(/meta\[property="csp-nonce"\]/);
  expect(marks).toBeGreaterThan(0);
  expect(script.slice(marks)).toMatch(/await import\(.\.\/graphiql-page/);
  // What runs before the mark is small: neither the editor nor React.
  expect(script.length).toBeLessThan(10_000);
});

test('all files together have a known size: below 3 MB as they are sent', () => {
  const bytes = [...explorer.assets.values()].reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeGreaterThan(500_000);
  expect(bytes).toBeLessThan(3_000_000);
});

test('all that is inside is under a permissive licence, and the texts are there', async () => {
  const licences = await readFile('dist/explorer/LICENCES.md', 'utf8');
  const named = [...licences.matchAll(/^## (\S+) - .*\((.+)\)$/gm)].map(([, name, licence]) => [name, licence]);
  expect(named.map(([name]) => name)).toEqual(expect.arrayContaining(['graphiql', 'monaco-editor', 'react']));
  const permissive = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
  for (const [name, licence] of named) expect(permissive, name).toContain(licence);
});

test('the page of the Sandbox loads the script that offers GraphiQL, before the script of Apollo', async () => {
  const { text } = await page('/graphql');
  const [watch] = assetsIn(text);
  expect(watch).toMatch(/sandbox-watch/);
  expect(text.indexOf(watch!)).toBeLessThan(text.indexOf('embeddable-sandbox.umd'));
  const script = await (await fetch(`${system.url}${watch}`)).text();
  expect(script).toContain('/graphiql');
});

test('no path reaches a file that is not part of the explorer', async () => {
  for (const path of [
    '/graphiql/assets/../manifest.json',
    '/graphiql/assets/%2e%2e%2fmanifest.json',
    '/graphiql/.built',
  ])
    expect((await fetch(`${system.url}${path}`)).status, path).toBe(404);
});

test('without a build there is no explorer, and the server says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'riskgraph-explorer-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(await readExplorer(folder)).toBeUndefined();
});
