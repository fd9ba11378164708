import { writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildBareSchema, type SchemaDependencies } from '../schema/build-schema.js';

// Printing calls no resolver, so the schema needs no real dependencies.
const nothing = new Proxy({}, { get: () => ({}) }) as SchemaDependencies;
const header = '# Emitted by "npm run schema:emit" from the classes in schema/. Do not edit.\n\n';
writeFileSync(
  new URL('../schema/schema.graphql', import.meta.url),
  `${header}${printSchema(lexicographicSortSchema(buildBareSchema(nothing)))}\n`,
);
