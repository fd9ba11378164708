import { Kind, type GraphQLResolveInfo } from 'graphql';

/**
 * Tells whether a caller asks for the ids of an object alone. Such an object needs no read. Fragments are not looked at:
 * then the answer is false.
 */
export const wantsIdOnly = ({ fieldNodes }: GraphQLResolveInfo): boolean =>
  fieldNodes.every(({ selectionSet }) =>
    selectionSet?.selections.every(
      (selection) => selection.kind === Kind.FIELD && ['id', '__typename'].includes(selection.name.value),
    ),
  );
