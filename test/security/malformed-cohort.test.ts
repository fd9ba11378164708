/** Covers src/patients/cohort-csv.ts, src/patients/patient-input.ts, src/input.ts. */
// Threat: a cohort of few bytes has so many wrong parts that the search for all of them stops the server.

import { expect, test } from 'vitest';
import { cohortDoors } from '../support/cohorts.js';

const { send } = await cohortDoors();

// Shows: owasp/amount
test('a header of 60,000 columns, each of them twice, is read once, and gets some issues', async () => {
  const names = Array.from({ length: 30_000 }, (_, index) => index.toString(36));
  const { status, errors } = await send(`mrn,${[...names, ...names].join()}\nA-1\n`);
  expect(status).toBe(400);
  const { fields } = errors![0]!.extensions as unknown as { fields: { message: string }[] };
  expect(fields.length).toBeLessThan(60);
  for (const { message } of fields) expect(message.length).toBeLessThan(5_000);
});

// Shows: owasp/amount
test('a column that comes 60,000 times gets one short issue', async () => {
  const { status, errors } = await send(`mrn${',a'.repeat(60_000)}\nA-1\n`);
  expect(status).toBe(400);
  expect(errors![0]!.message.length).toBeLessThan(5_000);
});

// Shows: owasp/amount
test.each([
  ['features', '{}', 'must have at most 1000 features'],
  ['careTeam', '1', 'must have at most 100 members'],
])('of %s without end one issue is told, and none of each element', async (field, element, message) => {
  const list = Array<string>(60_000).fill(element).join();
  const line = `{"mrn":"A-1","${field}":[${list}]}`;
  const { status, errors } = await send(`${line}\n${line}\n`, { type: 'application/x-ndjson' });
  expect(status).toBe(400);
  expect((errors![0]!.extensions as unknown as { fields: unknown }).fields).toEqual([
    { path: `lines[1].${field}`, message },
    { path: `lines[2].${field}`, message },
  ]);
});
