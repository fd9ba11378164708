/*
 * A plan is an operation whose fields were collected once: which fields each object has, how each is resolved, and how
 * its value becomes part of the answer. graphql-js works all of this out again for every row of a list.
 */
import {
  getNullableType,
  GraphQLError,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type OperationDefinitionNode,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { completeLeaf, completeList, completeObject, completeRequired } from './complete.js';
import type { CheckedOperation, Complete, PlannedField, PlannedObject } from './planned.js';

export interface Plan {
  readonly root: PlannedObject;
  /** Number of fields in it: its size. */
  readonly fields: number;
}

/**
 * Plans an operation.
 * @param mostFields fragments can multiply the fields of a short document
 * @returns undefined when the operation has more fields, or a type that a plan does not cover: interfaces, unions,
 * types with a test of their own, introspection
 */
export function planOperation(
  { schema, operation, fragments, variableValues }: CheckedOperation,
  mostFields: number,
): Plan | undefined {
  let count = 0;

  function planFields(type: GraphQLObjectType, collected: ReadonlyMap<string, readonly FieldNode[]>): PlannedObject {
    const fields: PlannedField[] = [];
    for (const [key, nodes] of collected) {
      if (++count > mostFields) throw new NotPlanned();
      fields.push(planField(type, key, nodes));
    }
    // A key of this name would change the prototype of a plain object instead of becoming a key of it.
    return { fields, type, isPlain: !collected.has('__proto__') };
  }

  function planField(parentType: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): PlannedField {
    const name = nodes[0]!.name.value;
    if (name === '__typename') return { kind: 'typename', key, value: parentType.name };
    const definition: GraphQLField<unknown, unknown> | undefined = parentType.getFields()[name];
    // Introspection.
    if (!definition) throw new NotPlanned();
    const { type, resolve, args } = definition;
    return {
      kind: 'read',
      key,
      name,
      definition,
      parentType,
      nodes,
      resolve,
      hasArguments: args.length > 0,
      isNullable: !isNonNullType(type),
      isLeaf: isLeafType(getNullableType(type)),
      complete: planCompletion(type, nodes),
    };
  }

  function planCompletion(type: GraphQLOutputType, nodes: readonly FieldNode[]): Complete {
    if (isNonNullType(type)) return completeRequired(planCompletion(type.ofType, nodes));
    if (isListType(type)) return completeList(planCompletion(type.ofType, nodes), !isNonNullType(type.ofType));
    if (isLeafType(type)) return completeLeaf(type);
    if (!isObjectType(type) || type.isTypeOf) throw new NotPlanned();
    return completeObject(planFields(type, collectSubfields(schema, fragments, variableValues, type, nodes)));
  }

  const type = schema.getRootType(operation.operation);
  if (!type) return undefined;
  try {
    const collected = collectFields(schema, fragments, variableValues, type, operation.selectionSet);
    return { root: planFields(type, collected), fields: count };
  } catch (error) {
    // A condition with a wrong value: graphql-js tells it.
    if (error instanceof NotPlanned || error instanceof GraphQLError) return undefined;
    throw error;
  }
}

/** Ends the planning of an operation that a plan does not cover. */
class NotPlanned extends Error {}

/** Finds an operation and the fragments of its document, as graphql-js does. Undefined when there is none to run. */
export function operationOf(
  definitions: readonly { readonly kind: string }[],
  operationName: string | null | undefined,
): Pick<CheckedOperation, 'operation' | 'fragments'> | undefined {
  const fragments = Object.create(null) as Record<string, FragmentDefinitionNode>;
  const operations: OperationDefinitionNode[] = [];
  for (const definition of definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      const fragment = definition as FragmentDefinitionNode;
      fragments[fragment.name.value] = fragment;
    } else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition as OperationDefinitionNode);
  const named = operationName == null ? operations : operations.filter(({ name }) => name?.value === operationName);
  return named.length === 1 ? { operation: named[0]!, fragments } : undefined;
}
