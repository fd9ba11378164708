/** Covers src/http/query-limits.ts, src/http/admitted-documents.ts. */
// Threat: a client requests one field or one mutation many times under many names, in one document.

import { describe, expect, test } from 'vitest';
import { startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const job = (transport: string, fields: string): string =>
  isForSubscriptions(transport)
    ? `subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { job { ${fields} } } }`
    : `{ scoringJob(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { ${fields} } }`;
const aliases = (count: number, field: string): string =>
  Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

describe.each(transports)('over %s', (transport, send) => {
  // Shows: owasp/amount, owasp/many-guesses
  test('one field under many names is refused, however it is written', async () => {
    for (const query of [
      job(transport, aliases(31, 'sequence')),
      // Names in a fragment count each time that the fragment is spread.
      `${job(transport, '...F prediction { job { ...F } }')} fragment F on ScoringJob { ${aliases(16, 'sequence')} }`,
      job(
        transport,
        `... on ScoringJob { ${aliases(20, 'sequence')} } ... { ${aliases(20, 'sequence').replaceAll('a', 'b')} }`,
      ),
      job(transport, aliases(31, '__typename')),
    ]) {
      const reply = await send(system, { query }, token);
      expect(codesOfReply(reply), query).toEqual(['QUERY_TOO_COMPLEX']);
      expect(reply.errors[0]!.message).toMatch(
        /^The query has \d+ aliases, and the limit is 30: send several queries\.$/,
      );
    }
  });

  test('thirty names are accepted', async () => {
    expect(codesOfReply(await send(system, { query: job(transport, aliases(30, 'sequence')) }, token))).not.toContain(
      'QUERY_TOO_COMPLEX',
    );
  });
});

// Shows: owasp/amount
test('a mutation under many names changes nothing', async () => {
  const before = await system.counts();
  const one = (_: unknown, index: number): string =>
    `a${index}: createPatient(input: { mrn: "flood-${index}" }) { id }`;
  const mutation = /* GraphQL */ `
    mutation {
      ${Array.from({ length: 31 }, one).join(' ')}
    }
  `;
  expect((await system.post(mutation, undefined, token)).errors).toMatchObject([
    { extensions: { code: 'QUERY_TOO_COMPLEX' } },
  ]);
  expect(await system.counts()).toEqual(before);
});
