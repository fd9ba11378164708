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
import { keptObject } from './run-kept.js';
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
    const inner = new Map<PlannedField, PlannedObject>();
    for (const [key, nodes] of collected) {
      if (++count > mostFields) throw new NotPlanned();
      const { field, object } = planField(type, key, nodes);
      fields.push(field);
      if (object) inner.set(field, object);
    }
    // A key of this name would change the prototype of a plain object instead of becoming a key of it.
    return { fields, type, isPlain: !collected.has('__proto__'), kept: keptObject(fields, inner) };
  }

  /** Plans a field, and the object that it has in it. */
  function planField(
    parentType: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
  ): { readonly field: PlannedField; readonly object?: PlannedObject | undefined } {
    const name = nodes[0]!.name.value;
    if (name === '__typename') return { field: { kind: 'typename', key, value: parentType.name } };
    const definition: GraphQLField<unknown, unknown> | undefined = parentType.getFields()[name];
    // Introspection.
    if (!definition) throw new NotPlanned();
    const { type, resolve, args } = definition;
    const { complete, object } = planCompletion(type, nodes);
    const field: PlannedField = {
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
      complete,
    };
    return { field, object };
  }

  function planCompletion(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
  ): { readonly complete: Complete; readonly object?: PlannedObject | undefined } {
    if (isNonNullType(type)) {
      const { complete, object } = planCompletion(type.ofType, nodes);
      return { complete: completeRequired(complete), object };
    }
    if (isListType(type)) {
      const { complete, object } = planCompletion(type.ofType, nodes);
      return { complete: completeList(complete, !isNonNullType(type.ofType)), object };
    }
    if (isLeafType(type)) return { complete: completeLeaf(type) };
    if (!isObjectType(type) || type.isTypeOf) throw new NotPlanned();
    const object = planFields(type, collectSubfields(schema, fragments, variableValues, type, nodes));
    return { complete: completeObject(object), object };
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
