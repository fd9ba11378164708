/*
 * Runs planned fields. It does what `executeFields` and `executeField` of graphql-js 16 do, in the same order:
 * https://spec.graphql.org/October2021/#sec-Executing-Selection-Sets
 */
import { getArgumentValues, locatedError, responsePathAsArray, type GraphQLResolveInfo } from 'graphql';
import type { Path } from './field-errors.js';
import type { PlannedObject, ReadField, Run } from './planned.js';

/**
 * Makes the answer of one object.
 * @param path its place in the answer
 * @returns the object, or a promise of it when a field has one
 * @throws the error of a field that must not be null
 */
export function runFields(run: Run, planned: PlannedObject, source: unknown, path: Path | undefined): unknown {
  const answer = (planned.isPlain ? {} : Object.create(null)) as Record<string, unknown>;
  let waits = false;
  try {
    for (const field of planned.fields) {
      if (field.kind === 'typename') {
        answer[field.key] = field.value;
        continue;
      }
      const value = runField(run, field, source, path);
      answer[field.key] = value;
      waits ||= isPromise(value);
    }
  } catch (error) {
    if (!waits) throw error;
    // Promises of other fields may reject too, and must not be left alone.
    return settled(answer).finally(() => {
      throw error;
    });
  }
  return waits ? settled(answer) : answer;
}

/** Waits for all fields of an object. */
const settled = (answer: Record<string, unknown>): Promise<Record<string, unknown>> =>
  Promise.all(Object.values(answer)).then((values) => {
    Object.keys(answer).forEach((key, index) => (answer[key] = values[index]));
    return answer;
  });

/** Makes the value of one field, or a promise of it. @throws the error of a field that must not be null */
function runField(run: Run, field: ReadField, source: unknown, parent: Path | undefined): unknown {
  // A scalar or an enum that is a property needs its place for an error alone.
  let path = field.isLeaf ? undefined : placeOf(field, parent);
  try {
    let value: unknown;
    if (field.resolve) {
      path ??= placeOf(field, parent);
      value = field.resolve(source, argumentsOf(run, field), run.contextValue, infoOf(run, field, path));
    } else if ((typeof source === 'object' && source !== null) || typeof source === 'function') {
      value = (source as Record<string, unknown>)[field.name];
      if (typeof value === 'function') {
        path ??= placeOf(field, parent);
        value = callMethod(run, field, source as Methods, path);
      }
    }
    const promise = isPromise(value) ? completeLater(run, field, (path ??= placeOf(field, parent)), value) : undefined;
    const completed = promise ?? field.complete(run, field, path, value);
    return isPromise(completed) ? orFail(run, field, path ?? placeOf(field, parent), completed) : completed;
  } catch (error) {
    return failAt(run, error, field, path ?? placeOf(field, parent), field.isNullable);
  }
}

type Methods = Readonly<Record<string, (...values: readonly unknown[]) => unknown>>;

const callMethod = (run: Run, field: ReadField, source: Methods, path: Path): unknown =>
  source[field.name]!(argumentsOf(run, field), run.contextValue, infoOf(run, field, path));

// Functions of their own: a closure within `runField` would cost every value.
const completeLater = (run: Run, field: ReadField, path: Path, value: Promise<unknown>): Promise<unknown> =>
  value.then((resolved) => field.complete(run, field, path, resolved));

const orFail = (run: Run, field: ReadField, path: Path, value: Promise<unknown>): Promise<unknown> =>
  value.then(undefined, (error) => failAt(run, error, field, path, field.isNullable));

const argumentsOf = (run: Run, { hasArguments, definition, nodes }: ReadField): Record<string, unknown> =>
  hasArguments ? getArgumentValues(definition, nodes[0]!, run.variableValues) : {};

const placeOf = ({ key, parentType }: ReadField, prev: Path | undefined): Path => ({
  prev,
  key,
  typename: parentType.name,
});

const infoOf = (
  { schema, fragments, rootValue, operation, variableValues }: Run,
  { name, nodes, definition, parentType }: ReadField,
  path: Path,
): GraphQLResolveInfo => ({
  fieldName: name,
  fieldNodes: nodes,
  returnType: definition.type,
  parentType,
  path,
  schema,
  fragments,
  rootValue,
  operation,
  variableValues,
});

/**
 * Tells an error of a field or of an item of a list.
 * @returns null, which becomes its value
 * @throws the error, when the value must not be null
 */
export function failAt(run: Run, error: unknown, { nodes }: ReadField, path: Path, isNullable: boolean): null {
  const located = locatedError(error, nodes, responsePathAsArray(path));
  if (!isNullable) throw located;
  run.errors.add(located, path);
  return null;
}

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
