import { z } from 'zod';

/** A probability as a caller gives it. */
export const probability = z.number().min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1');

/**
 * The arguments of a `refine` that refuses a minimum above its maximum: such a range holds nothing. It runs also when
 * other fields have issues, so that a caller learns of all at once.
 * @param minimum name of the field with the minimum, which the issue is about
 */
export const rangeCheck = (minimum: string, maximum: string) =>
  [
    (filter: unknown): boolean => {
      const { [minimum]: from, [maximum]: to } = (filter ?? {}) as Record<string, unknown>;
      return !(typeof from === 'number' && typeof to === 'number' && from > to);
    },
    { path: [minimum], message: `must not be above ${maximum}: exchange the two, or leave one out`, when: () => true },
  ] satisfies Parameters<z.ZodType['refine']>;
