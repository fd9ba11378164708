import type { GraphQLField, GraphQLObjectType, GraphQLSchema } from 'graphql';

/** A field that an operation can begin with. */
export interface RootField {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly root: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
}

/** Lists the root fields of a schema, from which every walk through it starts. */
export function rootFields(schema: GraphQLSchema): RootField[] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([kind, root]) =>
    root ? Object.values(root.getFields()).map((field) => ({ kind, root, field })) : [],
  );
}
