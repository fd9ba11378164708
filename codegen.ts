import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents for `riskgraph/client`, and so for the command line and the tests. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: ['src/client/*.graphql'],
  emitLegacyCommonJSImports: false,
  importExtension: '.js',
  // Lets bundlers drop the documents that a program does not use, and makes the others short.
  hooks: { afterOneFileWrite: ['node scripts/finish-documents.mjs'] },
  generates: {
    'src/client/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        scalars: { DateTime: 'string', LocalDate: 'string', ID: 'string' },
        strictScalars: true,
        useTypeImports: true,
        enumsAsTypes: true,
        documentMode: 'string',
      },
    },
  },
};
export default config;
