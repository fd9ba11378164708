import { GraphQLError, type GraphQLLeafType } from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';
import type { Path } from './field-errors.js';
import type { Complete, PlannedObject, ReadField, Run } from './planned.js';
import { runKept } from './run-kept.js';
import { failAt, isPromise, runFields } from './run.js';

/** Completes a value that must not be null. */
export function completeRequired(complete: Complete): Complete {
  return (run, field, path, value) => {
    const completed = complete(run, field, path, value);
    if (completed === null)
      throw new Error(`Cannot return null for non-nullable field ${field.parentType.name}.${field.name}.`);
    return completed;
  };
}

/** Completes a scalar or an enum. */
export function completeLeaf(type: GraphQLLeafType): Complete {
  return (_run, _field, _path, value) => {
    if (value instanceof Error) throw value;
    if (value == null) return null;
    const text: unknown = type.serialize(value);
    if (text == null)
      throw new Error(
        `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(text)}`,
      );
    return text;
  };
}

/** Completes an object. */
export function completeObject(planned: PlannedObject): Complete {
  return (run, _field, path, value) => {
    if (value instanceof Error) throw value;
    if (value == null) return null;
    return planned.kept ? runKept(run, planned, value, path) : runFields(run, planned, value, path);
  };
}

/** Completes each item of a list. @param isNullable whether an item may be null: then its error ends at the item */
export function completeList(complete: Complete, isNullable: boolean): Complete {
  return (run, field, path, value) => {
    if (value instanceof Error) throw value;
    if (value == null) return null;
    if (!isIterable(value))
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${field.parentType.name}.${field.name}".`,
      );
    const items: unknown[] = [];
    let waits = false;
    try {
      for (const item of value) {
        const completed = completeItem(run, field, { prev: path, key: items.length, typename: undefined }, item);
        waits ||= isPromise(completed);
        items.push(completed);
      }
    } catch (error) {
      // An item that fails later must have a handler: without one its rejection would end the process.
      void Promise.allSettled(items);
      throw error;
    }
    return waits ? Promise.all(items) : items;
  };

  function completeItem(run: Run, field: ReadField, place: Path, item: unknown): unknown {
    const fail = (error: unknown): null => failAt(run, error, field, place, isNullable);
    try {
      const completed = isPromise(item)
        ? item.then((resolved) => complete(run, field, place, resolved))
        : complete(run, field, place, item);
      return isPromise(completed) ? completed.then(undefined, fail) : completed;
    } catch (error) {
      return fail(error);
    }
  }
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function';
