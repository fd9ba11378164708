/** Covers src/http/persisted-queries.ts. */
// Threat: a client sends a document that the operator has not listed.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { StartupError } from '../../src/errors.js';
import { readPersistedQueries } from '../../src/http/persisted-queries.js';
import { startSystem } from '../support/system.js';
import { codesOfReply, type GraphqlRequest, isForSubscriptions, transports } from '../support/transports.js';

const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const file = (name: string): string => join(directory, name);
const query = 'query Role { viewer { role } }';
const dear =
  'query Dear { patients(first: 500) { edges { node { predictions(first: 500) { edges { node { id } } } } } } }';
const mutation = 'mutation Create { createPatient(input: { mrn: "listed" }) { mrn } }';
const subscription = 'subscription Follow($id: ID!) { scoringJobUpdated(id: $id) { sequence } }';
// The second hash is written as the client preset of @graphql-codegen writes it.
await writeFile(
  file('list.json'),
  JSON.stringify({
    [sha256(query)]: query,
    [`sha256:${sha256(subscription)}`]: subscription,
    [sha256(mutation)]: mutation,
    [sha256(dear)]: dear,
  }),
);

const system = await startSystem({ worker: false, environment: { PERSISTED_QUERIES_FILE: file('list.json') } });
const token = await system.token('CLINICIAN');
const named = (text: string, prefix = ''): GraphqlRequest => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: prefix + sha256(text) } },
});
const variables = { id: 'aaaaaaaaaaaaaaaaaaaaaaaa' };

describe.each(transports)('over %s', (transport, send) => {
  const listed = isForSubscriptions(transport) ? subscription : query;
  const unlisted = isForSubscriptions(transport)
    ? 'subscription { predictionCreated { id } }'
    : '{ viewer { username } }';

  // Shows: owasp/known-documents
  test('a document of the list runs, by its hash or in full', async () => {
    for (const request of [
      named(listed),
      named(listed, 'sha256:'),
      { query: listed },
      { query: listed, ...named(listed) },
    ]) {
      const reply = await send(system, { ...request, variables }, token);
      if (isForSubscriptions(transport)) expect(codesOfReply(reply)).toEqual(['NOT_FOUND']);
      else expect(JSON.parse(reply.text)).toMatchObject({ data: { viewer: { role: 'CLINICIAN' } } });
    }
  });

  // Shows: owasp/known-documents
  test('no other document runs, under any name', async () => {
    for (const request of [
      { query: unlisted },
      // A document with one more character is another document.
      { query: `${listed} ` },
      { query: `${listed} ${unlisted.startsWith('{') ? 'query Other ' : ''}${unlisted}` },
      { query: '{ __schema { queryType { name } } }' },
      { query: '{ not graphql' },
      named(unlisted),
      // The client tries to register a document by sending hash and text, as with automatic persisted queries.
      { query: unlisted, ...named(unlisted) },
      named(unlisted),
      { query: unlisted, ...named(listed) },
      { query: listed, ...named(unlisted) },
      { extensions: { persistedQuery: { version: 1, sha256Hash: '__proto__' } } },
      { extensions: { persistedQuery: null } },
    ]) {
      const reply = await send(system, { ...request, variables }, token);
      expect(codesOfReply(reply), `${JSON.stringify(request)}: ${reply.text}`).toEqual(['BAD_USER_INPUT']);
    }
    expect((await send(system, { query: unlisted }, token)).errors[0]!.message).toContain(
      'add the document to PERSISTED_QUERIES_FILE, or send one that is in it',
    );
  });

  // Shows: owasp/known-documents
  test('a document of the list keeps its limits and its permissions', async () => {
    if (isForSubscriptions(transport)) {
      expect(codesOfReply(await send(system, { ...named(query) }, token))).toEqual(['BAD_USER_INPUT']);
      expect(codesOfReply(await send(system, { ...named(subscription), variables }))).toEqual(['UNAUTHENTICATED']);
    } else {
      expect(codesOfReply(await send(system, named(dear), token))).toEqual(['QUERY_TOO_COMPLEX']);
      expect(codesOfReply(await send(system, named(query)))).toEqual(['UNAUTHENTICATED']);
    }
  });
});

test('a mutation of the list runs with POST, but not with GET', async () => {
  const before = await system.counts();
  const [http, get] = transports;
  expect((await get![1](system, named(mutation), token)).status).toBe(405);
  expect(await system.counts()).toEqual(before);
  expect(JSON.parse((await http![1](system, named(mutation), token)).text)).toMatchObject({
    data: { createPatient: { mrn: 'listed' } },
  });
});

describe('an invalid list', () => {
  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /is not a JSON object/],
    ['a list', '["{ viewer { role } }"]', /is not a JSON object/],
    ['documents that are no texts', '{"a": {"kind": "Document"}}', /is not a JSON object/],
    [
      'names of another hash',
      '{"da39a3ee5e6b4b0d3255bfef95601890afd80709": "{ viewer { role } }"}',
      /"da39a3ee5e6b4b0d3255bfef95601890afd80709", which is not its SHA-256: write the file with persistedDocuments/,
    ],
  ])('of %s is refused at the start', async (name, content, says) => {
    await writeFile(file('broken.json'), content);
    onTestFinished(() => rm(file('broken.json')));
    await expect(readPersistedQueries(file('broken.json')), name).rejects.toThrow(StartupError);
    await expect(readPersistedQueries(file('broken.json'))).rejects.toThrow(says);
  });

  test('stops the start when its file is missing', async () => {
    const config = { ...system.app.config, persistedQueriesFile: file('nowhere.json') };
    const app = await createApp(config, system.app.logger);
    onTestFinished(() => app.close());
    await expect(startApi(app)).rejects.toThrow(
      new StartupError('PERSISTED_QUERIES_FILE cannot be read (ENOENT): name the JSON file of your persisted queries.'),
    );
  });
});
