import { Kind, parse, type ASTNode } from 'graphql';
import { formatPath } from '../input.js';

/**
 * Longest query that is searched, in characters. The search parses the query again, which costs too much above this.
 */
const longestQuery = 100_000;

/**
 * Finds the place of a node in a query, as the caller wrote it. Within an argument it is the path in the argument, such
 * as `features[0].value`; the argument's name comes first unless it is `input`. Elsewhere it is the path of fields,
 * such as `viewer.organization`.
 * @returns undefined when the query is too long to search, or the node has no place in it
 */
export function placeInQuery({ loc }: ASTNode): string | undefined {
  if (!loc || loc.source.body.length > longestQuery) return undefined;
  let fields: string[] = [];
  let withinArgument: (string | number)[] = [];
  let node: ASTNode | undefined = parse(loc.source);
  while (node) {
    if (node.kind === Kind.FIELD) {
      fields = [...fields, node.name.value];
      withinArgument = [];
    } else if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) {
      withinArgument.push(node.name.value);
    } else if (node.kind === Kind.VARIABLE_DEFINITION) {
      withinArgument = [node.variable.name.value];
    }
    if (node.loc?.start === loc.start && node.loc.end === loc.end) break;
    const [index, child] = childAround(node, loc.start, loc.end);
    if (node.kind === Kind.LIST && index !== undefined) withinArgument.push(index);
    node = child;
  }
  const path = withinArgument.length > 0 ? formatPath(withinInput(withinArgument)) : fields.join('.');
  return path === '' ? undefined : path;
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
