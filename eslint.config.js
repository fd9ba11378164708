import js from '@eslint/js';
import graphqlPlugin from '@graphql-eslint/eslint-plugin';
import importPlugin from 'eslint-plugin-import';
import tseslint from 'typescript-eslint';

const shieldImport = { name: 'graphql-shield', message: 'import it from schema/shield.ts' };

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/client/generated/', 'web/generated/', '.data/', 'coverage/'] },
  { files: ['**/*.{js,mjs,cjs,ts,tsx}'], ...js.configs.recommended },
  ...tseslint.configs.recommended.map((config) => ({ files: ['**/*.{js,mjs,cjs,ts,tsx}'], ...config })),
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { import: importPlugin },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      'no-console': 'error',
      'import/no-duplicates': ['error', { 'prefer-inline': true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Only the configuration module reads the environment, so that every variable is validated in one place.
    files: ['src/**/*.ts', 'schema/**/*.ts', 'workers/**/*.ts', 'models/**/*.ts'],
    ignores: ['src/config/config.ts', 'src/cli.ts', 'src/commands/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'read it in src/config/config.ts' },
      ],
    },
  },
  {
    // What is made per request, row or event: docs/decisions/0026-getters-of-classes.md.
    files: [
      'schema/**/*.ts',
      'src/auth/**/*.ts',
      'src/patients/**/*.ts',
      'src/scope/organization-scope.ts',
      'src/http/operations.ts',
      'src/http/operation-context.ts',
      'src/http/subscription-events.ts',
      'src/scope/scoped-collection.ts',
      'src/events/async-queue.ts',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "ObjectExpression > Property[kind='get']",
          message: 'make it a class: V8 keeps such objects in memory',
        },
      ],
    },
  },
  {
    // graphql-shield does not load by a plain import on Node 23 and newer.
    files: ['**/*.ts'],
    ignores: ['schema/shield.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [shieldImport] }] },
  },
  {
    // A later rule replaces an earlier one of the same name, so this one repeats the import of graphql-shield.
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [shieldImport, { name: 'vitest', importNames: ['it'], message: 'every test is a test' }] },
      ],
    },
  },
  {
    // The schema as it is emitted: what a caller can read in the Sandbox.
    files: ['schema/schema.graphql'],
    plugins: { '@graphql-eslint': graphqlPlugin },
    languageOptions: {
      parser: graphqlPlugin.parser,
      parserOptions: { graphQLConfig: { schema: 'schema/schema.graphql' } },
    },
    rules: {
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          rootField: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],
      '@graphql-eslint/description-style': 'error',
      '@graphql-eslint/no-unreachable-types': 'error',
      '@graphql-eslint/relay-page-info': 'error',
      '@graphql-eslint/relay-connection-types': 'error',
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: true }],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        URLSearchParams: 'readonly',
      },
    },
    rules: { 'no-console': 'off' },
  },
);
