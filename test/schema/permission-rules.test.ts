import { buildSchema, execute, isObjectType, parse, subscribe } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ForbiddenError } from '../../src/errors.js';
import { buildBareSchema, type SchemaDependencies } from '../../schema/build-schema.js';
import { fieldRule, fieldRules, guardSchema } from '../../schema/permission-rules.js';

// These tests call no resolver, so that they need no database.
const nothing = new Proxy({}, { get: () => ({}) }) as SchemaDependencies;
const types = Object.values(buildBareSchema(nothing).getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);
const fields = types.flatMap((type) =>
  isObjectType(type) ? Object.keys(type.getFields()).map((field) => [type.name, field] as const) : [],
);

/** Fields that identify a person, on any type. */
const identifying = ['mrn', 'givenName', 'familyName', 'birthDate'];

describe('the permission table', () => {
  // Shows: 164.312(a)(1)
  test.each(fields)('%s.%s has a rule', (type, field) => {
    expect(fieldRule(type, field)).toBeDefined();
  });

  test('names nothing that the schema lacks', () => {
    const known = new Set(fields.map(([type, field]) => `${type}.${field}`));
    const named = Object.entries(fieldRules).flatMap(([type, rules]) =>
      Object.keys(rules).map((field) => [type, field] as const),
    );
    expect(
      named.filter(([type, field]) =>
        field === '*' ? !types.some(({ name }) => name === type) : !known.has(`${type}.${field}`),
      ),
    ).toEqual([]);
  });

  // Shows: owasp/authorization
  test('refuses every caller by default on root types, Patient and ScoringJob', () => {
    for (const type of ['Query', 'Mutation', 'Subscription', 'Patient', 'ScoringJob'])
      expect(fieldRules[type], type).not.toHaveProperty('*');
    for (const type of ['Query', 'Mutation', 'Subscription'])
      expect(Object.values(fieldRules[type]!)).not.toContain('with-parent');
  });

  // Shows: owasp/authorization
  test('lets anonymous callers use only operations that check a credential of their own', () => {
    expect(
      fields.filter(([type, field]) => fieldRule(type, field) === 'public').map((field) => field.join('.')),
    ).toEqual(['Mutation.login', 'Mutation.refresh', 'Mutation.logout']);
  });

  // Shows: owasp/interfaces
  test('guards the fields that identify a person on the only type that has them', () => {
    const found = fields.filter(([, field]) => identifying.includes(field));
    expect(found.map(([type, field]) => `${type}.${field}`).sort()).toEqual(
      identifying.map((field) => `Patient.${field}`).sort(),
    );
    for (const field of identifying) expect(fieldRule('Patient', field)).toBe('patient:read-identity');
  });
});

describe('a field without a rule', () => {
  let called = false;
  const bare = buildSchema('type Query { secret: String } type Subscription { secret: String }');
  // Both functions are on the field, as type-graphql makes it.
  Object.assign(bare.getSubscriptionType()!.getFields().secret!, {
    resolve: (event: string) => event,
    subscribe: async function* secrets() {
      called = true;
      yield await Promise.resolve('secret');
    },
  });
  const schema = guardSchema(bare);

  // Shows: 164.312(a)(1)
  test('is refused with FORBIDDEN, and its resolver is never called', async () => {
    const { data, errors } = await execute({
      schema,
      document: parse('{ secret }'),
      rootValue: { secret: () => (called = true) },
      contextValue: {},
    });
    expect(data).toEqual({ secret: null });
    expect(errors?.[0]?.originalError).toBeInstanceOf(ForbiddenError);
    expect(called).toBe(false);
  });

  test('is refused before a subscription begins', async () => {
    const result = await subscribe({ schema, document: parse('subscription { secret }'), contextValue: {} });
    expect(result).toMatchObject({ errors: [{ originalError: expect.any(ForbiddenError) }] });
    expect(called).toBe(false);
  });
});
