/** Covers src/http/compiled-operations.ts. */
// Threat: a query is written so that it runs as a program when the server compiles it.

import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { buildSchema, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createExecute, mayCompile } from '../../src/http/compiled-operations.js';
import { atEnd } from '../support/at-end.js';
import { postBody, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

const ran = globalThis as { injected?: number };
atEnd(() => void delete ran.injected);

/** graphql-jit 0.8.9 writes a text with its mark of a date into the code of the operation, as the argument of `new Date`. */
const program = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d(globalThis.injected = 1)';

const schema = buildSchema('type Query { echo(text: String): String, all: [Query] }');
const rootValue = { echo: ({ text }: { text?: string }) => text, all: () => [{}] };

test('the library alone runs a text of a query as a program, so this threat is real', () => {
  const compiled = compileQuery(schema, parse(`{ echo(text: "${program}") }`));
  if (!isCompiledQuery(compiled)) throw new Error('not compiled');
  void compiled.query(rootValue, {}, {});
  expect(ran.injected).toBe(1);
  delete ran.injected;
});

// Shows: owasp/injection
test.each([
  ['argument', `{ echo(text: "${program}") }`],
  ['block of text', `{ echo(text: """${program}""") }`],
  ['default of a variable', `query ($text: String = "${program}") { echo(text: $text) }`],
  ['fragment', `{ ...F } fragment F on Query { echo(text: "${program}") }`],
])('a query with a program in its %s is never compiled, and its text stays a text', async (_place, text) => {
  const execute = createExecute(schema, 0);
  const document = parse(text);
  expect(mayCompile(document)).toBe(false);
  for (let run = 0; run < 3; run += 1)
    expect(await execute({ schema, document, rootValue })).toEqual({ data: { echo: program } });
  expect(ran.injected).toBeUndefined();
});

test.each(['__proto__', 'constructor', 'toString', '__defineGetter__', 'hasOwnProperty'])(
  'a query with the key %s is never compiled, and changes no object of the server',
  async (key) => {
    const execute = createExecute(schema, 0);
    const document = parse(`query ($text: String) { ${key}: all { ${key}: echo(text: $text) } }`);
    expect(mayCompile(document)).toBe(false);
    const { data } = await execute({
      schema,
      document,
      rootValue: { all: [rootValue] },
      variableValues: { text: 'x' },
    });
    expect(Object.keys(data!)).toEqual([key]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
);

test('over HTTP such a query is answered as a text at its hundredth time too', async () => {
  for (let run = 0; run < 100; run += 1) {
    const query = `{ patients(filter: { mrn: ${JSON.stringify(program)} }) { totalCount } }`;
    const { data } = await postBody<{ patients: { totalCount: number } }>(system.url, JSON.stringify({ query }), token);
    expect(data?.patients.totalCount).toBe(0);
  }
  expect(ran.injected).toBeUndefined();
});
