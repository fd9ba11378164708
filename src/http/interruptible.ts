import { defaultFieldResolver, getNamedType, isLeafType, isObjectType, type GraphQLSchema } from 'graphql';
import type { Operation } from './operations.js';

/**
 * Makes the fields of a schema give way. Every field that returns an object, and every value that is expensive to make,
 * first asks its operation for a turn. Between two of them only plain values are copied. graphql-js itself runs a list
 * of any length in one turn of the event loop, and cannot be stopped.
 *
 * A broken-off operation resolves no such field any more. So it reads nothing more, and a mutation begins no further
 * change.
 * @param schema changed in place
 */
export function interruptible(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const isValue = isLeafType(getNamedType(field.type));
      if (isValue && field.extensions.complexity === undefined) continue;
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = (source, args, context: { readonly operation?: Operation }, info) => {
        const { operation } = context;
        if (!operation) return resolve(source, args, context, info);
        const resolveNow = (): unknown => {
          const value: unknown = resolve(source, args, context, info);
          if (isValue && typeof value === 'string') operation.made(value.length);
          return value;
        };
        const turn = operation.turn();
        return turn ? turn.then(resolveNow) : resolveNow();
      };
    }
  }
  return schema;
}
