import { Types } from 'mongoose';
import type { z } from 'zod';
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
  if (parsed.success) return { data: parsed.data };
  return {
    issues: parsed.error.issues.flatMap((issue): FieldError[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'is not a field of this input' }))
        : [{ path: formatPath(issue.path), message: issue.message }],
    ),
  };
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
