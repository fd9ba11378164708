import { buildSchema, execute as interpret, parse, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import { writeAnswer } from '../../src/http/answer-text.js';
import type { Operation } from '../../src/http/operations.js';
import { createExecute, type Execute } from '../../src/http/prepared/prepared-operations.js';
import { unchanging } from '../../src/scope/unchanging.js';

/** A schema of people: all but `age` and `greeting` is unchanging, and names need a permission. */
function people(): GraphQLSchema {
  const schema = buildSchema(`
    type Query { people: [Person!]! }
    type Person { id: ID! name: String notes: [Note!] age: Int greeting(to: String): String }
    type Note { text: String! at: Float }
  `);
  const mark = (type: string, fields: readonly string[], extensions: object): void => {
    for (const field of fields) {
      const definition = (schema.getType(type) as GraphQLObjectType).getFields()[field]!;
      definition.extensions = { ...definition.extensions, ...extensions };
    }
  };
  mark('Person', ['id', 'name', 'notes'], { unchanging: true });
  mark('Note', ['text', 'at'], { unchanging: true });
  mark('Person', ['name'], { allows: ({ sees }: Context) => sees });
  (schema.getType('Person') as GraphQLObjectType).getFields().name!.resolve = (person: Person, _args, { sees }) => {
    if (!(sees as boolean)) throw new Error('may not see names');
    return person.name;
  };
  return schema;
}

interface Context {
  readonly sees: boolean;
  readonly operation?: Pick<Operation, 'made'>;
}

type Person = ReturnType<typeof person>;

/** A person who counts how often the name is read. */
function person(origin: object | undefined, name: () => unknown = () => 'Ann "A" O\u2028Brien') {
  return {
    [unchanging]: origin,
    reads: 0,
    id: 7,
    age: 50,
    greeting: ({ to }: { to?: string }) => `Hello ${to ?? ''}`,
    notes: [{ text: '<é>', at: 0.1 }],
    get name() {
      this.reads += 1;
      return name();
    },
  };
}

const small = { cost: 1 } as Operation;
const large = { cost: 2_000, wrote: () => undefined, turn: () => undefined } as unknown as Operation;

/** The text of an answer, which must be that of graphql-js, and its errors. */
async function answerOf(schema: GraphQLSchema, execute: Execute, query: string, rootValue: object, sees = true) {
  const document = parse(query);
  const given = { document, rootValue, contextValue: { sees } };
  const { data, errors = [] } = await execute(given);
  const reference = await interpret({ schema, ...given });
  const text = `${JSON.stringify({ data: reference.data })}\n`;
  expect(await writeAnswer({ data }, small), query).toBe(text);
  expect(await writeAnswer({ data }, large), query).toBe(text);
  expect(JSON.stringify({ data }), query).toBe(text.trimEnd());
  expect(errors.map((error) => JSON.stringify(error))).toEqual(
    (reference.errors ?? []).map((error) => JSON.stringify(error)),
  );
  return { text, data, errors };
}

const query = '{ people { id n: name notes { text at __typename } } }';

test('an object that does not change is read once, and written as graphql-js writes it', async () => {
  const schema = people();
  const execute = createExecute(schema);
  const document = parse(query);
  const ann = person({});
  const run = () => execute({ document, rootValue: { people: [ann, ann] }, contextValue: { sees: true } });
  await run();
  await run();
  expect(ann.reads).toBe(1);
  await answerOf(schema, execute, query, { people: [ann, person(undefined), ann] });
  await answerOf(schema, execute, '{ people { ...F } } fragment F on Person { __proto__: id toJSON: name then: id }', {
    people: [ann, ann],
  });
  await answerOf(schema, execute, '{ __typename people { id } all: people { id name } }', { people: [ann, ann] });
});

test('an object that names another origin, or none, is read', async () => {
  const execute = createExecute(people());
  const document = parse(query);
  const run = (...shown: Person[]) => execute({ document, rootValue: { people: shown }, contextValue: { sees: true } });
  const origin = {};
  const [first, same, other, unknown] = [person(origin), person(origin), person({}), person(undefined)];
  await run(first, same, other, unknown);
  await run(unknown);
  expect([first, same, other, unknown].map(({ reads }) => reads)).toEqual([1, 0, 1, 2]);
});

test('a caller who may not see a field gets no text that was kept for one who may', async () => {
  const schema = people();
  const execute = createExecute(schema);
  const ann = person({});
  const rootValue = { people: [ann] };
  expect((await answerOf(schema, execute, query, rootValue, true)).errors).toEqual([]);
  const refused = await answerOf(schema, execute, query, rootValue, false);
  expect(refused.errors.map(({ message }) => message)).toEqual(['may not see names']);
  expect(refused.text).not.toContain('Ann');
  // What a refusal has left empty is kept for no one.
  expect((await answerOf(schema, execute, query, rootValue, true)).text).toContain('Ann');
  const first = createExecute(schema);
  const bea = { people: [person({}, () => 'Bea')] };
  await answerOf(schema, first, query, bea, false);
  expect((await answerOf(schema, first, query, bea, true)).text).toContain('Bea');
});

test('an object with an error is not kept', async () => {
  const schema = people();
  const execute = createExecute(schema);
  let broken = true;
  const ann = person({}, () => {
    if (broken) throw new Error('cannot be decrypted');
    return 'Ann';
  });
  expect((await answerOf(schema, execute, query, { people: [ann] })).errors).toHaveLength(1);
  broken = false;
  expect((await answerOf(schema, execute, query, { people: [ann] })).text).toContain('Ann');
});

test('a field that may change is made for each caller', async () => {
  const schema = people();
  const execute = createExecute(schema);
  const ann = person({});
  const ages = '{ people { id name age } }';
  expect((await answerOf(schema, execute, ages, { people: [ann] })).text).toContain('"age":50');
  ann.age = 51;
  expect((await answerOf(schema, execute, ages, { people: [ann] })).text).toContain('"age":51');
  await answerOf(schema, execute, '{ people { id a: greeting(to: "A") b: greeting } }', { people: [ann] });
});

test('values that come later are kept too', async () => {
  const schema = people();
  const execute = createExecute(schema);
  const ann = person({}, () => Promise.resolve('Ann'));
  await answerOf(schema, execute, query, { people: [ann] });
  const { reads } = ann;
  const { data } = await execute({
    document: parse(query),
    rootValue: { people: [ann] },
    contextValue: { sees: true },
  });
  expect(ann.reads).toBe(reads + 1);
  expect(JSON.stringify(data)).toContain('"n":"Ann"');
});

test('a reader who changes an answer changes no other one', async () => {
  const execute = createExecute(people());
  const given = { document: parse(query), rootValue: { people: [person({})] }, contextValue: { sees: true } };
  const first = JSON.stringify((await execute(given)).data);
  const { data } = await execute(given);
  const shown = JSON.parse(JSON.stringify(data)) as { people: { n: string }[] };
  shown.people[0]!.n = 'Eve';
  (data as { people: unknown[] }).people.length = 0;
  expect(JSON.stringify((await execute(given)).data)).toBe(first);
});

test('an object is kept in few forms, and never when it is long', async () => {
  const execute = createExecute(people());
  const documents = ['{ people { name } }', '{ people { id name } }', '{ people { name id } }'].map((text) =>
    parse(text),
  );
  const readsOf = async (shown: Person): Promise<number> => {
    for (let round = 0; round < 3; round += 1)
      for (const document of documents)
        await execute({ document, rootValue: { people: [shown] }, contextValue: { sees: true } });
    return shown.reads;
  };
  // Two forms once, and the third each time.
  expect(await readsOf(person({}))).toBe(2 + 3);
  expect(await readsOf(person({}, () => 'x'.repeat(10_000)))).toBe(9);
});

test('a kept text counts towards the largest answer', async () => {
  const execute = createExecute(people());
  const made: number[] = [];
  const operation = { made: (bytes: number) => void made.push(bytes) };
  const given = {
    document: parse(query),
    rootValue: { people: [person({})] },
    contextValue: { sees: true, operation },
  };
  await execute(given);
  const { data } = await execute(given);
  expect(made).toEqual([JSON.stringify((data as { people: unknown[] }).people[0]).length]);
});
