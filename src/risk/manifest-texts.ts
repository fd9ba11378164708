import { z } from 'zod';

/**
 * The codes of a feature as the author writes them. A model that takes text has texts as values. Callers then give the
 * number of the code: its place in the list, from 0. `text` gives both, the number and the model's text.
 */
export const codesSchema = z
  .array(
    z.strictObject({
      value: z.union([z.number(), z.string()]),
      label: z.string().min(1).max(120),
      text: z.string().optional(),
    }),
  )
  .min(2)
  .max(1000)
  .transform((codes) => codes.map(numbered));

/** A code of a feature. `text` is the model's own value when the model takes text. */
interface Code {
  readonly value: number;
  readonly label: string;
  readonly text?: string;
}

function numbered(
  { value, label, text }: { value: number | string; label: string; text?: string | undefined },
  place: number,
): Code {
  if (typeof value === 'string') return { value: place, label, text: value };
  return text === undefined ? { value, label } : { value, label, text };
}

/** Returns the number of a value that an author wrote; undefined when no code of the feature has that text. */
export function numberOf(codes: readonly Code[] | undefined, value: number | string): number | undefined {
  return typeof value === 'number' ? value : codes?.find(({ text }) => text === value)?.value;
}
