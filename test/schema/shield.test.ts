import { createRequire } from 'node:module';
import { buildSchema, execute, parse } from 'graphql';
import { applyMiddleware, type IMiddleware } from 'graphql-middleware';
import { expect, test } from 'vitest';
import { allow, deny, rule, shield, supplyIsUndefined } from '../../schema/shield.js';

const require = createRequire(import.meta.url);

/** A schema of whole numbers behind shield's rules, applied as the product applies them. */
function guarded(rules: Record<string, Parameters<typeof shield>[0]>) {
  const schema = buildSchema(
    `type Query { ${Object.keys(rules)
      .map((field) => `${field}: Int`)
      .join(' ')} }`,
  );
  return applyMiddleware(
    schema,
    shield({ Query: rules } as Parameters<typeof shield>[0]).generate(schema) as IMiddleware,
  );
}

test('graphql-shield refuses and allows on the installed Node.js', async () => {
  const asked = rule('is asked')((_parent, _args, { may }: { may: boolean }) => may);
  const schema = guarded({ open: allow, closed: deny, asked });
  const ask = (may: boolean) =>
    execute({
      schema,
      document: parse('{ open closed asked }'),
      rootValue: { open: 1, closed: 2, asked: 3 },
      contextValue: { may },
    });
  expect(await ask(true)).toMatchObject({ data: { open: 1, closed: null, asked: 3 }, errors: [{ path: ['closed'] }] });
  expect(await ask(false)).toMatchObject({
    data: { open: 1, closed: null, asked: null },
    errors: [{ path: ['closed'] }, { path: ['asked'] }],
  });
});

test('the rules of graphql-shield that call the removed function work too', async () => {
  const { chain, race } = require('graphql-shield') as typeof import('graphql-shield');
  const schema = guarded({ chained: chain(allow, deny), raced: race(deny, allow) });
  const { data } = await execute({
    schema,
    document: parse('{ chained raced }'),
    rootValue: { chained: 1, raced: 2 },
    contextValue: {},
  });
  expect(data).toEqual({ chained: null, raced: 2 });
});

test('the function is added only if it is missing', () => {
  const without: { isUndefined?: (value: unknown) => boolean } = {};
  supplyIsUndefined(without);
  expect([undefined, null, 0, ''].map((value) => without.isUndefined!(value))).toEqual([true, false, false, false]);
  const own = () => true;
  const having = { isUndefined: own };
  supplyIsUndefined(having);
  expect(having.isUndefined).toBe(own);
});
