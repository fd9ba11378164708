import type { GraphQLObjectType } from 'graphql';
import { authorize } from '../src/auth/authorize.js';
import type { Action } from '../src/auth/permissions.js';
import type { OperationContext } from './common/context.js';

/** The actions that are known to be allowed, by the operation's context. */
export type AllowedActions = WeakMap<OperationContext, Set<Action>>;

/** Decides on an action, and notes that it is allowed. @returns true, or the error of the refusal */
export function decide(context: OperationContext, action: Action, allowed: AllowedActions): true | Error {
  if (context.authenticationError) return context.authenticationError;
  try {
    authorize(context.viewer, action);
    allowed.set(context, (allowed.get(context) ?? new Set()).add(action));
    return true;
  } catch (error) {
    return error as Error;
  }
}

/**
 * Tells whether an action is allowed before any field asks for it, by the function that the rule of shield calls too. For
 * objects that are written at once: src/http/prepared/run-kept.ts. The fields of a refused caller go to shield.
 */
type Allows = (context: OperationContext) => boolean;

/**
 * Adds an `Allows` to the extensions of each field that needs an action. A field without a rule is never allowed.
 * @param actionOf gives the action of a field; `none`: it needs none; undefined: it has no rule
 */
export function tellAllowed(
  guarded: readonly GraphQLObjectType[],
  allowed: AllowedActions,
  actionOf: (type: string, field: string) => Action | 'none' | undefined,
): void {
  const made = new Map<Action | undefined, Allows>([[undefined, () => false]]);
  const allowsOf = (rule: Action | undefined): Allows => {
    const allows =
      made.get(rule) ??
      ((context) => allowed.get(context)?.has(rule!) === true || decide(context, rule!, allowed) === true);
    made.set(rule, allows);
    return allows;
  };
  for (const type of guarded)
    for (const field of Object.values(type.getFields())) {
      const needed = actionOf(type.name, field.name);
      if (needed !== 'none') field.extensions = { ...field.extensions, allows: allowsOf(needed) };
    }
}
