import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  Kind,
  parse,
  validate,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import type { QueryLimits } from '../config/config.js';
import { QueryTooComplexError } from '../errors.js';

// The limits: the default, how much is known to be needed, what is counted, and what is kept out. The need is measured
// with the documents of src/client/operations.graphql, the queries of the README and of the tests, and the
// introspection query of Apollo Sandbox.
//
// - tokens, 2000 (needed 759). Counts words and signs of the document; the lexer stops at the limit. Keeps out endless
//   documents before they are parsed.
// - fields, 500 (needed 240). Counts selections, those of a fragment at every spread. Keeps out fragments that double
//   with every level, and repeated fields: validation compares each field with each other one.
// - depth, 12 (needed 8). Counts levels of fields; fragments add none. Keeps out circles such as patient, job, patient.
//   Levels below `__schema` do not count: graphql-js has its own rule for them (MaxIntrospectionDepthRule).
// - aliases, 30 (needed 6). Counts them at every spread. Keeps out one expensive field many times.
// - directives, 30 (needed 1). Counts them at every spread. Keeps out `@skip @skip @skip ...`.
// - cost, 500000 (needed 224102, for a job with 500 predictions). See query-cost.ts; checked when the variables are
//   known. Keeps out pages of pages.

/**
 * Characters per token that a document may have on average, with its spaces and comments. The longest documents of
 * src/client have 12. Comments are no tokens, and 4 MB of them would take the lexer a tenth of a second.
 */
const charactersPerToken = 64;

/**
 * Parses a document.
 * @throws QueryTooComplexError above the limit of tokens or of characters, GraphQLError when the text is not GraphQL
 */
export function parseWithin(source: string, { tokens }: Pick<QueryLimits, 'tokens'>): DocumentNode {
  refuseAbove(
    tokens * charactersPerToken,
    source.length,
    'has',
    'characters',
    'pass values as variables, and leave comments out',
  );
  try {
    return parse(source, { maxTokens: tokens });
  } catch (error) {
    if (!/Document contains more tha[nt] \d+ tokens/.test((error as Error).message)) throw error;
    throw new QueryTooComplexError(
      `The query has more than ${tokens} tokens, which is the limit: pass values as variables, or send several ` +
        'smaller queries.',
    );
  }
}

/**
 * Refuses a document that asks for too much. It runs before validation, because it costs far less.
 * @throws QueryTooComplexError naming the limit, the amount asked for, and the remedy
 */
export function checkShape(schema: GraphQLSchema, document: DocumentNode, limits: QueryLimits): void {
  refuseAbove(
    limits.fields,
    countFields(document),
    'selects',
    'fields, counting those of a fragment at every spread',
    'select fewer, or send several smaller queries',
  );
  // The libraries only count here. Their own refusals look like syntax errors and do not name the amount.
  const asked = { depth: 0, aliases: 0, directives: 0 };
  const count = (what: keyof typeof asked) => ({
    n: Infinity,
    onAccept: [(_context: unknown, { n }: { n: number }) => void (asked[what] = Math.max(asked[what], n))],
  });
  validate(schema, document, [
    maxDepthRule({ ...count('depth'), flattenFragments: true }),
    maxAliasesRule({ ...count('aliases'), allowList: [] }),
    maxDirectivesRule(count('directives')),
  ]);
  refuseAbove(limits.depth, asked.depth, 'is', 'levels deep', 'nest less, or ask for the inner objects by their ids');
  refuseAbove(limits.aliases, asked.aliases, 'has', 'aliases', 'send several queries');
  refuseAbove(limits.directives, asked.directives, 'has', 'directives', 'send several queries');
}

/** @throws QueryTooComplexError when more was asked for than is allowed */
export function refuseAbove(limit: number, asked: number, verb: string, unit: string, remedy: string): void {
  if (asked <= limit) return;
  const shown = asked < 1e9 ? String(asked) : 'more than 1000000000';
  throw new QueryTooComplexError(`The query ${verb} ${shown} ${unit}, and the limit is ${limit}: ${remedy}.`);
}

/**
 * Counts the selections that the document spells out, and those of its largest operation with spread fragments.
 * @returns the larger
 */
function countFields({ definitions }: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const counted = new Map<string, number>();
  let spelledOut = 0;

  const ofFragment = (name: string): number => {
    const known = counted.get(name);
    if (known !== undefined) return known;
    // A fragment that contains itself ends here. Validation refuses it later.
    counted.set(name, 0);
    const count = ofSelections(fragments.get(name)?.selectionSet);
    counted.set(name, count);
    return count;
  };
  const ofSelections = (set: SelectionSetNode | undefined): number => {
    let count = 0;
    for (const selection of set?.selections ?? []) {
      spelledOut += 1;
      count +=
        1 +
        (selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : ofSelections(selection.selectionSet));
    }
    return count;
  };
  const largest = Math.max(
    0,
    ...definitions.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? ofSelections(definition.selectionSet) : 0,
    ),
  );
  for (const name of fragments.keys()) ofFragment(name);
  return Math.max(spelledOut, largest);
}
