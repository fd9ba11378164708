import type { CodegenConfig } from '@graphql-codegen/cli';
import { Kind, visit, type DocumentNode, type SelectionNode } from 'graphql';

const typename: SelectionNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** Asks for the type of each object, but not of the operation: a subscription has one field alone. */
const withTypenames = (document: DocumentNode): DocumentNode =>
  visit(document, {
    SelectionSet: (node, _key, parent) =>
      parent && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION
        ? undefined
        : { ...node, selections: [typename, ...node.selections] },
  });

const config = {
  scalars: { DateTime: 'string', LocalDate: 'string', ID: 'string' },
  strictScalars: true,
  useTypeImports: true,
  enumsAsTypes: true,
  documentMode: 'string',
} as const;

/**
 * Typed documents for `riskgraph/client`, and so for the command line and the tests, and others for the console. Those
 * of the console name each type, as its cache needs it, so that they are sent exactly as they stand on its allow-list.
 */
const codegen: CodegenConfig = {
  schema: 'schema/schema.graphql',
  emitLegacyCommonJSImports: false,
  importExtension: '.js',
  // Lets bundlers drop the documents that a program does not use, and makes the others short.
  hooks: { afterOneFileWrite: ['node scripts/finish-documents.mjs'] },
  generates: {
    'src/client/generated/': {
      preset: 'client',
      documents: ['src/client/*.graphql'],
      presetConfig: { fragmentMasking: false },
      config,
    },
    'web/generated/': {
      preset: 'client',
      documents: ['web/**/*.graphql'],
      documentTransforms: [
        {
          transform: ({ documents }) =>
            documents.map((file) => ({ ...file, document: file.document && withTypenames(file.document) })),
        },
      ],
      presetConfig: { fragmentMasking: false },
      config,
    },
  },
};
export default codegen;
