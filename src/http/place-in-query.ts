import {
  Kind,
  parse,
  visit,
  type ASTNode,
  type DocumentNode,
  type OperationDefinitionNode,
  type Source,
  type VariableDefinitionNode,
} from 'graphql';
import { formatPath } from '../input.js';

/**
 * Longest query that is searched, in characters. The search parses the query again, which costs too much above this.
 */
const longestQuery = 100_000;

/** Most arguments that are named for one variable. */
const mostUses = 10;

/** Parses the query around a node. @returns undefined when the query is too long to search, or the node has no place */
function documentAround({ loc }: ASTNode): DocumentNode | undefined {
  if (!loc || loc.source.body.length > longestQuery) return undefined;
  if (last?.source !== loc.source) last = { source: loc.source, document: parse(loc.source) };
  return last.document;
}

/** The query that was searched last: a refused one is searched for each of its errors. */
let last: { readonly source: Source; readonly document: DocumentNode } | undefined;

type Path = readonly (string | number)[];

/**
 * Finds the place of a node in a query, as the caller wrote it. Within an argument it is the path in the argument, such
 * as `features[0].value`; the argument's name comes first unless it is `input`. Within the default of a variable it is
 * that of the first argument that takes the variable. Elsewhere it is the path of fields, such as `viewer.organization`.
 * @returns undefined when the query is too long to search, or the node has no place in it
 */
export function placeInQuery(wanted: ASTNode): string | undefined {
  const { loc } = wanted;
  let node: ASTNode | undefined = documentAround(wanted);
  if (!loc || !node) return undefined;
  let fields: string[] = [];
  let withinArgument: (string | number)[] = [];
  while (node) {
    if (node.kind === Kind.FIELD) {
      fields = [...fields, node.name.value];
      withinArgument = [];
    } else if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) {
      withinArgument.push(node.name.value);
    } else if (node.kind === Kind.VARIABLE_DEFINITION) {
      withinArgument = [...(usesOf(node)[0] ?? [node.variable.name.value])];
    }
    if (node.loc?.start === loc.start && node.loc.end === loc.end) break;
    const [index, child] = childAround(node, loc.start, loc.end);
    if (node.kind === Kind.LIST && index !== undefined) withinArgument.push(index);
    node = child;
  }
  const path = withinArgument.length > 0 ? formatPath(withinInput(withinArgument)) : fields.join('.');
  return path === '' ? undefined : path;
}

/**
 * Finds the places of a value within a variable: one per argument that takes the variable, each once. So a path is the
 * same, whether the caller wrote the value into the query or sent it as a variable.
 * @param within path of the value in the variable, as formatPath gives it
 * @returns none when no argument takes the variable, or the query is too long to search
 */
export function placesOfVariable(definition: VariableDefinitionNode, within: string): string[] {
  const inVariable = within.startsWith('[') || within === '' ? within : `.${within}`;
  const places = usesOf(definition).map((use) => `${formatPath(use)}${inVariable}`);
  return [...new Set(places.map((place) => place.replace(/^input\./, '')))];
}

/** The uses of the variables of one operation, by the names of the variables. */
type VariableUses = ReadonlyMap<string, readonly Path[]>;

/** Uses by query, and by the place of the operation in it. One request may have many wrong variables. */
const knownUses = new WeakMap<Source, Map<number, VariableUses>>();

/** The paths at which arguments take a variable, in the order of the query. */
function usesOf(definition: VariableDefinitionNode): readonly Path[] {
  const source = definition.loc?.source;
  if (!source) return [];
  const known = knownUses.get(source) ?? new Map<number, VariableUses>();
  knownUses.set(source, known);
  const place = definition.loc.start;
  const document = known.has(place) ? undefined : documentAround(definition);
  const operation = document?.definitions.find(
    (node): node is OperationDefinitionNode =>
      node.kind === Kind.OPERATION_DEFINITION && node.loc!.start <= place && node.loc!.end >= place,
  );
  if (document && operation) {
    const uses = findUses(document, operation);
    for (const { loc } of operation.variableDefinitions ?? []) known.set(loc!.start, uses);
  }
  return known.get(place)?.get(definition.variable.name.value) ?? [];
}

function findUses(document: DocumentNode, operation: OperationDefinitionNode): VariableUses {
  const uses = new Map<string, Path[]>();
  visit(document, {
    OperationDefinition: (node) => (node === operation ? undefined : false),
    VariableDefinition: () => false,
    Variable({ name: { value: name } }, _key, parent, keys, ancestors) {
      const ofVariable = uses.get(name) ?? [];
      if (!parent || ofVariable.length >= mostUses) return;
      const use = [...ancestors, parent].flatMap((ancestor, depth): (string | number)[] => {
        if (!('kind' in ancestor)) return [];
        if (ancestor.kind === Kind.ARGUMENT || ancestor.kind === Kind.OBJECT_FIELD) return [ancestor.name.value];
        return ancestor.kind === Kind.LIST ? [keys[depth + 1]!] : [];
      });
      if (use.length > 0) uses.set(name, [...ofVariable, use]);
    },
  });
  return uses;
}

/** Removes `input`, which is the only argument of every mutation: its name says nothing about the place. */
function withinInput<T>(path: readonly T[]): readonly T[] {
  return path[0] === 'input' && path.length > 1 ? path.slice(1) : path;
}

/** Finds the child that contains a range of the text, and its index when the children are a list. */
function childAround(node: ASTNode, start: number, end: number): [number | undefined, ASTNode | undefined] {
  for (const value of Object.values(node) as unknown[]) {
    const children = (Array.isArray(value) ? value : [value]) as Partial<ASTNode>[];
    const index = children.findIndex(
      (child) =>
        child?.kind !== undefined && child.loc !== undefined && child.loc.start <= start && child.loc.end >= end,
    );
    if (index >= 0) return [Array.isArray(value) ? index : undefined, children[index] as ASTNode];
  }
  return [undefined, undefined];
}
