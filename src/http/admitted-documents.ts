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

/** The way in of every document, over HTTP and WebSocket alike: on the list, within the limits, valid. */
export interface AdmittedDocuments {
  /**
   * The document that a request wants, or why it is refused. Cheap checks come first, so that refusing costs little.
   * @returns undefined when the request names no document
   */
  admit(request: DocumentRequest): DocumentNode | readonly Error[] | undefined;
  /** Of a document that was admitted lately, by the SHA-256 of its text. */
  find(sha256: string): DocumentNode | undefined;
  /** Whether `admit` has let this very document in. */
  has(document: DocumentNode): boolean;
  /**
   * Refuses an operation of an admitted document that costs too much with these variables, before any of it is run.
   * @throws QueryTooComplexError, or GraphQLError when there is an issue with an argument
   */
  checkCost(
    document: DocumentNode,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): void;
}

/** Text of the documents remembered, in characters. With its syntax tree a document takes up to some 150 times its text. */
const rememberedCharacters = 256 * 1024;

/**
 * @param options.limits undefined lets every size pass
 * @param options.list undefined lets every document pass
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
        // The stack is as deep as the document: with a high limit of tokens, one of brackets alone overflows it.
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
      if (!limits) return;
      refuseAbove(
        limits.cost,
        cost(document, operationName, variables) ?? 0,
        'may return',
        'values',
        'lower "first", or ask for fewer fields',
      );
    },
  };
}

/** As graphql-js's own, but with one error for each way into the schema instead of one for every field below it. */
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

/** Documents that were parsed and found valid lately; the one used longest ago goes first. */
interface RecentDocuments {
  add(text: string, document: DocumentNode): void;
  byText(text: string): DocumentNode | undefined;
  /** @param hash SHA-256 of the text, hexadecimal */
  byHash(hash: string): DocumentNode | undefined;
}

/** @param capacity characters of text in all; a document that would fill more than a quarter of it is not kept */
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
