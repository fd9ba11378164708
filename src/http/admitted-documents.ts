import { createHash } from 'node:crypto';
import {
  GraphQLError,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type ValidationRule,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { QueryLimits } from '../config/config.js';
import { QueryTooComplexError } from '../errors.js';
import { documentText, type DocumentRequest, type PersistedQueries } from './persisted-queries.js';
import { createQueryCost } from './query-cost.js';
import { checkShape, parseWithin, refuseAbove } from './query-limits.js';

/**
 * Admits documents, over HTTP and WebSocket alike. An admitted document is on the list, within the limits and valid.
 */
export interface AdmittedDocuments {
  /**
   * Returns the document that a request wants, or the errors for which it is refused. Cheap checks come first, so that
   * a refusal costs little.
   * @returns undefined when the request names no document
   */
  admit(request: DocumentRequest): DocumentNode | readonly Error[] | undefined;
  /** Finds a document that was admitted recently, by the SHA-256 of its text. */
  find(sha256: string): DocumentNode | undefined;
  /** Tells whether `admit` has returned this very object before. */
  has(document: DocumentNode): boolean;
  /**
   * Refuses an operation of an admitted document that costs too much with these variables. No part of it has run yet.
   * @returns the cost, 0 when there are no limits
   * @throws QueryTooComplexError, or GraphQLError when there is an issue with an argument
   */
  checkCost(
    document: DocumentNode,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): number;
}

/**
 * Characters of text of all remembered documents together. With its syntax tree, a document takes up to about 150 times
 * the memory of its text.
 */
const rememberedCharacters = 256 * 1024;

/**
 * @param options.limits undefined: no size is refused
 * @param options.list undefined: every valid document may run
 */
export function createAdmittedDocuments(
  schema: GraphQLSchema,
  options: {
    readonly limits: QueryLimits | undefined;
    readonly list: PersistedQueries | undefined;
    readonly introspection: boolean;
  },
): AdmittedDocuments {
  const { limits, list } = options;
  const rules: readonly ValidationRule[] = options.introspection
    ? specifiedRules
    : [...specifiedRules, noIntrospection];
  const cost = createQueryCost(schema);
  const admitted = new WeakSet<DocumentNode>();
  const remembered = createRecentDocuments(rememberedCharacters);

  function read(text: string): DocumentNode | readonly Error[] {
    const document = parseWithin(text, limits ?? { tokens: Number.MAX_SAFE_INTEGER });
    if (limits) checkShape(schema, document, limits);
    const errors = validate(schema, document, rules, { hideSuggestions: true });
    if (errors.length > 0) return errors;
    admitted.add(document);
    remembered.add(text, document);
    return document;
  }

  return {
    admit(request) {
      try {
        const text = documentText(request, list);
        return text === undefined ? undefined : (remembered.byText(text) ?? read(text));
      } catch (error) {
        // The parser calls itself for each level. With a high limit of tokens, a document of brackets overflows the
        // stack.
        return [
          error instanceof RangeError
            ? new QueryTooComplexError('The query is nested too deeply: nest less.')
            : (error as Error),
        ];
      }
    },
    find: remembered.byHash,
    has: (document) => admitted.has(document),
    checkCost(document, operationName, variables) {
      if (!limits) return 0;
      const asked = cost(document, operationName, variables) ?? 0;
      refuseAbove(limits.cost, asked, 'costs', 'units', 'lower "first", or ask for fewer fields');
      return asked;
    },
  };
}

/**
 * Refuses introspection as the rule of graphql-js does. That rule reports every field below `__schema`; this one
 * reports the entry only.
 */
const noIntrospection: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    context.reportError(
      new GraphQLError('Introspection is off in production: read schema/schema.graphql, which comes with RiskGraph.', {
        nodes: node,
      }),
    );
  },
});

/** Remembers documents that were recently found valid. The one used longest ago is forgotten first. */
interface RecentDocuments {
  add(text: string, document: DocumentNode): void;
  byText(text: string): DocumentNode | undefined;
  /** @param hash SHA-256 of the text, hexadecimal */
  byHash(hash: string): DocumentNode | undefined;
}

/** @param capacity characters of text in total. A document that needs more than a quarter of it is not kept. */
export function createRecentDocuments(capacity: number): RecentDocuments {
  const byHash = new Map<string, DocumentNode>();
  const documents = new LRUCache<string, { readonly document: DocumentNode; readonly hash: string }>({
    maxSize: capacity,
    maxEntrySize: Math.floor(capacity / 4),
    sizeCalculation: (_value, text) => text.length,
    dispose: ({ hash }) => byHash.delete(hash),
  });
  return {
    add(text, document) {
      if (documents.has(text)) return;
      const hash = createHash('sha256').update(text).digest('hex');
      documents.set(text, { document, hash });
      if (documents.has(text)) byHash.set(hash, document);
    },
    byText: (text) => documents.get(text)?.document,
    byHash: (hash) => byHash.get(hash),
  };
}
