import { createRequire } from 'node:module';
import type * as Shield from 'graphql-shield';

/**
 * graphql-shield, loaded so that it runs on every Node.js from 20 on. No other file may import the package.
 *
 * Version 7.6.5 calls `util.isUndefined`, which Node 23 removed. Its ESM build imports the function by name, and so
 * does not load there. Its CommonJS build looks the function up at each call, so it works when the function is
 * supplied. docs/decisions/0011-graphql-shield.md says how far RiskGraph depends on the package.
 */
const require = createRequire(import.meta.url);
supplyIsUndefined(require('node:util') as object);

/** The four functions of graphql-shield that the permission rules are made of. */
export const { allow, deny, rule, shield } = require('graphql-shield') as typeof Shield;

/** Adds `isUndefined` to Node's `util` when it is missing. Node's own function is kept when there is one. */
export function supplyIsUndefined(util: object): void {
  if (!('isUndefined' in util)) Object.assign(util, { isUndefined: (value: unknown) => value === undefined });
}
