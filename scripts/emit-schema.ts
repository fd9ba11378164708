import { writeFileSync } from 'node:fs';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildBareSchema, type SchemaDependencies } from '../schema/build-schema.js';
import { cacheConfiguration } from './cache-configuration.js';

// Printing calls no resolver, so the schema needs no real dependencies.
const nothing = new Proxy({}, { get: () => ({}) }) as SchemaDependencies;
const header = '# Emitted by "npm run schema:emit" from the classes in schema/. Do not edit.\n\n';
const schema = lexicographicSortSchema(buildBareSchema(nothing));
const write = (path: string, text: string): void => writeFileSync(new URL(`../${path}`, import.meta.url), text);

write('schema/schema.graphql', `${header}${printSchema(schema)}\n`);
write('src/client/generated/cache-configuration.ts', cacheConfiguration(schema));
