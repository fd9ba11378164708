import type { FieldError } from '../errors.js';

/**
 * graphql-js repeats the value it refused, which may be a name or a birth date. Rewrites such a message to name the
 * place and the type that is wanted, and nothing else; other messages of graphql-js only hold names from the schema
 * and from the query's own text, and stay.
 * https://github.com/graphql/graphql-js/blob/16.x.x/src/execution/values.ts
 */
export function describeCoercion(message: string): { readonly message: string; readonly fields: FieldError[] } {
  const variable = /^Variable "\$(\w+)" /.exec(message)?.[1];
  if (variable !== undefined) {
    const path = / at "([\w.[\]]+)"; /.exec(message)?.[1] ?? variable;
    const reason = coercionReason(message);
    return { message: `${path}: ${reason}`, fields: [{ path, message: reason }] };
  }
  if (echoesValue.test(message)) {
    const reason = coercionReason(message);
    return { message: `A value in the query ${reason}.`, fields: [] };
  }
  return { message: withoutSuggestion(message), fields: [] };
}

const echoesValue = /cannot represent|does not exist in "|Expected value of type|is not a valid|Syntax Error/;

/** Names of fields and types that the schema itself has are safe to show. */
function coercionReason(message: string): string {
  const missing = /Field "(\w+)" of required type "([\w![\]]+)" was not provided/.exec(message);
  if (missing) return `the field ${missing[1]} of type ${missing[2]} is required`;
  const unknown = /Field "(\w{1,64})" is not defined by type "(\w+)"/.exec(message);
  if (unknown) return `there is no field ${unknown[1]} in ${unknown[2]}`;
  const notNull = /Expected non-nullable type "([\w![\]]+)" not to be null/.exec(message) ?? /of required type "([\w![\]]+)" was not provided/.exec(message);
  if (notNull) return `must be a ${notNull[1]} and not null`;
  const enumeration = /does not exist in "(\w+)" enum/.exec(message) ?? /Enum "(\w+)" cannot represent/.exec(message);
  if (enumeration) return `must be a value of the enum ${enumeration[1]}`;
  const scalar = /\b(Int|Float|String|Boolean|ID|LocalDate|DateTime) cannot represent/.exec(message);
  if (scalar?.[1] === 'Float' || scalar?.[1] === 'Int') return `must be a finite number of type ${scalar[1]}`;
  if (scalar) return `must be a valid ${scalar[1]}`;
  if (message.startsWith('Syntax Error')) return 'has a syntax error: check its brackets and quotes';
  return 'is not of the type that the schema asks for';
}

/** "Did you mean ..." tells a stranger what the schema holds. */
const withoutSuggestion = (message: string): string => message.replace(/ Did you mean .*\?$/, '');
