import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents for the command line and the tests, which use the API as any client does. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: ['src/client/*.graphql'],
  emitLegacyCommonJSImports: false,
  importExtension: '.js',
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
