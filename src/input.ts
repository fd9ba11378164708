import { Types } from 'mongoose';
import { z } from 'zod';
import { BadUserInputError, type FieldError } from './errors.js';

/**
 * Validates a caller's input against a schema.
 * @throws BadUserInputError naming every wrong field by its path, e.g. `features[2].value`, but never its value
 */
export function parseInput<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const checked = checkInput(schema, input);
  if ('data' in checked) return checked.data;
  throw new BadUserInputError(checked.issues);
}

/** Checks an input as `parseInput` does. @returns the issues in place of an error */
export function checkInput<T extends z.ZodType>(
  schema: T,
  input: unknown,
): { readonly data: z.output<T> } | { readonly issues: readonly FieldError[] } {
  const parsed = schema.safeParse(input);
  return parsed.success ? { data: parsed.data } : { issues: parsed.error.issues.flatMap(toFieldErrors) };
}

/**
 * A list of at most so many elements. A longer one is refused for its length, and no element of it is looked at: one
 * request may hold a hundred thousand, each of which would have issues of its own.
 */
export const boundedList = <T extends z.ZodType>(element: T, most: number, message: string) =>
  z.array(z.custom<z.input<T>>()).max(most, message).pipe(z.array(element));

/** Issues about the type of a value. GraphQL finds them itself, and has converted dates and ids before we look. */
const issuesOfTypes: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'unrecognized_keys']);

/** The issues of an input whose types were not checked: all but those of the types. */
export function issuesOf(schema: z.ZodType, input: unknown): FieldError[] {
  const { error } = schema.safeParse(input);
  return (error?.issues ?? []).filter(({ code }) => !issuesOfTypes.has(code)).flatMap(toFieldErrors);
}

const toFieldErrors = (issue: z.core.$ZodIssue): FieldError[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'is not a field of this input' }))
    : [{ path: formatPath(issue.path), message: ownWords(issue) }];

/** The words for a wrong type that a schema has none for: those of zod are for programmers. */
function ownWords(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return `must be ${typeWords[issue.expected] ?? `of the type ${issue.expected}`}`;
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid option'))
    return `must be one of these: ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  date: 'a date and time',
};

/**
 * Makes every check of one input, and throws the issues of all of them at once. A check adds nothing about a field
 * that an earlier one has refused. Any other error of a check is thrown only when no check has an issue.
 * @returns what the checks return, in their order
 */
export async function checkAll<T extends readonly unknown[]>(
  ...checks: { readonly [K in keyof T]: () => T[K] | Promise<T[K]> }
): Promise<T> {
  const results: unknown[] = [];
  const issues: FieldError[] = [];
  let other: { readonly error: unknown } | undefined;
  for (const check of checks) {
    try {
      results.push(await check());
    } catch (error) {
      if (!(error instanceof BadUserInputError)) other ??= { error };
      else {
        const known = new Set(issues.map(({ path }) => path));
        issues.push(...error.fields.filter(({ path }) => !known.has(path)));
      }
    }
  }
  if (issues.length > 0) throw new BadUserInputError(issues);
  if (other) throw other.error;
  return results as unknown as T;
}

/** `['features', 2, 'value']` becomes `features[2].value`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** The object id of a text. Null when the text cannot be one: then there is no such object. */
export function toObjectId(id: string): Types.ObjectId | null {
  return /^[0-9a-f]{24}$/.test(id) ? new Types.ObjectId(id) : null;
}

/** The object id of a text. When the text cannot be one, a new id, which matches no object. */
export const idOrNone = (id: string): Types.ObjectId => toObjectId(id) ?? new Types.ObjectId();
