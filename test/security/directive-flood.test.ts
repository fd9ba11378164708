/** Covers src/http/query-limits.ts. */
// Threat: a client repeats directives in a document. Each of them costs time.

import { describe, expect, test } from 'vitest';
import { startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

describe.each(transports)('over %s', (transport, send) => {
  const job = (fields: string): string =>
    isForSubscriptions(transport)
      ? `subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { job { ${fields} } } }`
      : `{ scoringJob(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { ${fields} } }`;

  // Shows: owasp/amount
  test('too many directives are refused, known or not', async () => {
    for (const directive of ['@include(if: true) ', '@nothing ']) {
      const reply = await send(system, { query: job(`id ${directive.repeat(31)}`) }, token);
      expect(codesOfReply(reply)).toEqual(['QUERY_TOO_COMPLEX']);
      expect(reply.errors[0]!.message).toMatch(/^The query has 31 directives, and the limit is 30: /);
    }
    const fragment = `fragment F on ScoringJob { ${'id @include(if: true) '.repeat(16)} }`;
    const spread = `${job('...F prediction { job { ...F } }')} ${fragment}`;
    expect(codesOfReply(await send(system, { query: spread }, token))).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('thirty directives are accepted', async () => {
    expect(codesOfReply(await send(system, { query: job('id @include(if: true) '.repeat(30)) }, token))).not.toContain(
      'QUERY_TOO_COMPLEX',
    );
  });
});
