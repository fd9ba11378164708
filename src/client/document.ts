/** The operation of a document that is sent, and its first field: a subscription has no other one. */
interface ReadOperation {
  /** `query`, `mutation` or `subscription`. Undefined when the document has no such operation. */
  readonly kind?: string;
  readonly field?: string;
  /** The name of the field in the answer: the alias, if it has one. */
  readonly key: string;
  /** The variable that the argument `after` of the field takes. */
  readonly after?: string;
}

/**
 * Reads the operation of a document. It knows no schema: the API checks the document.
 * https://spec.graphql.org/September2025/#sec-Document
 */
export function readOperation(query: string, operationName?: string): ReadOperation {
  const tokens =
    query
      // Texts and comments first: they may contain anything. Of arguments and directives only `after` matters.
      .replace(/"""[^]*?"""|"(\\.|.)*?"|#.*|@\w+/g, ' ')
      .replace(/\((?:[^()]*\bafter\s*:\s*(\$\w+))?[^()]*\)/g, ' $1 ')
      .match(/\.{3}|\$?\w+|[{}:]/g) ?? [];
  const fragments = new Map<string, number>();
  let kind: string | undefined;
  let header: string[] = [];
  let depth = 0;
  let at = tokens.length;
  tokens.forEach((token, index) => {
    const opens = token === '{';
    if (!depth && opens) {
      const [first = 'query', name = ''] = header;
      header = [];
      if (first === 'fragment') fragments.set(name, index);
      else if (!kind && (!operationName || operationName === name)) [kind, at] = [first, index];
    } else if (!depth) header.push(token);
    depth += opens ? 1 : token === '}' ? -1 : 0;
  });
  while (tokens[++at] === '...') {
    const name = tokens[at + 1]!;
    // A fragment in place has no name of its own. One that contains itself is not read twice.
    if (name === 'on') at += 3;
    else if (name === '{') at += 1;
    else at = fragments.get(name) ?? tokens.length;
    fragments.delete(name);
  }
  const key = tokens[at] ?? '';
  if (tokens[at + 1] === ':') at += 2;
  const variable = tokens[at + 1];
  return { kind, key, field: tokens[at], after: variable?.[0] === '$' ? variable.slice(1) : undefined };
}
