/**
 * Takes esbuild's calls of `__name(function, "name")` out of a file of the bundle, where the function has that name anyway.
 * esbuild writes one for every function. One inside another function runs each time: that took a tenth to a fifth of the
 * processor time of an API that reads single patients (docs/decisions/0024-one-bundle.md).
 */
import ts from 'typescript';

/**
 * Blanks take the place of what is taken out, so that every column stays as the source map has it.
 * @param text a file of the bundle
 * @returns the text without the calls that give a function the name that it has
 */
export function dropRedundantNames(text) {
  const cuts = [];
  const visit = (node) => {
    if (isNaming(node) && ownName(node) === node.arguments[1].text) {
      const [target] = node.arguments;
      cuts.push([node.getStart(), target.getStart()], [target.getEnd(), node.getEnd()]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS));
  cuts.sort(([first], [second]) => first - second);
  const parts = [];
  let end = 0;
  for (const [from, to] of cuts) {
    parts.push(text.slice(end, from), ' '.repeat(to - from));
    end = to;
  }
  return parts.join('') + text.slice(end);
}

const isNaming = (node) =>
  ts.isCallExpression(node) &&
  ts.isIdentifier(node.expression) &&
  node.expression.text === '__name' &&
  node.arguments.length === 2 &&
  ts.isStringLiteral(node.arguments[1]);

/** The name that the target of a call has without it. https://tc39.es/ecma262/#sec-runtime-semantics-namedevaluation */
function ownName(call) {
  const [target] = call.arguments;
  if (ts.isIdentifier(target)) return target.text;
  if (target.kind === ts.SyntaxKind.ThisKeyword) return nameOfClassAround(call);
  return isFunctionOrClass(target) ? (target.name?.text ?? inferredName(call)) : undefined;
}

/** The name of the class in whose static block a call stands. It has it before the block runs. */
function nameOfClassAround(call) {
  const block = call.parent.parent?.parent;
  const around = block && ts.isClassStaticBlockDeclaration(block) ? block.parent : undefined;
  return around && (around.name?.text ?? inferredName(around));
}

/** The name that an expression gives to a function or class without one. */
function inferredName(expression) {
  const { parent } = expression;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent))
    return parent.initializer === expression && ts.isIdentifier(parent.name) ? parent.name.text : undefined;
  const isAssignment = ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return isAssignment && parent.right === expression && ts.isIdentifier(parent.left) ? parent.left.text : undefined;
}

const isFunctionOrClass = (node) =>
  ts.isFunctionExpression(node) || ts.isArrowFunction(node) || ts.isClassExpression(node);
