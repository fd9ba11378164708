/*
 * Search tokens: blind indexes of the beginnings of an MRN and of a family name. With them a patient is found by the
 * first characters, although both are stored encrypted. They are stored only for an organization that has switched
 * prefix search on, because they tell more than a blind index of the whole value: docs/decisions/0017-prefix-search.md.
 *
 * - A token is made per length, from 2 characters to a bound. A character is a code point of the normal form.
 * - The tokens of a patient are sorted, so that their order tells neither the field nor the length.
 */
import { identifierText } from '../process/visible-text.js';
import { normalForm } from '../protection/blind-index.js';
import type { FieldWriter } from '../protection/protection.js';

/** The lengths of the beginnings by which a patient can be found, in characters. */
export const prefixLengths = {
  mrn: { shortest: 2, longest: 12 },
  familyName: { shortest: 2, longest: 10 },
} as const;

/** A field that can be searched by its beginning. */
export type SearchedField = keyof typeof prefixLengths;

/** Characters of a token: 96 bits, so that two prefixes never share one by chance. */
const tokenLength = 16;

/** The characters of a value, or of a beginning of it, in the normal form in which they are compared. */
export const searchCharacters = (field: SearchedField, value: string): string[] =>
  Array.from(
    field === 'mrn' ? normalForm('patients.mrn', identifierText(value)) : normalForm('patients.familyName', value),
  );

/** The token of a beginning. Its length is part of it. */
export const searchToken = (
  { blindIndex }: Pick<FieldWriter, 'blindIndex'>,
  field: SearchedField,
  characters: readonly string[],
): string => blindIndex(`patients.${field}Prefix`, `${characters.length}:${characters.join('')}`).slice(0, tokenLength);

/** All tokens of a patient: at most 20. */
export function searchTokens(
  writer: Pick<FieldWriter, 'blindIndex'>,
  identity: { readonly mrn: string; readonly familyName?: string },
): string[] {
  const fields = Object.entries(prefixLengths) as [SearchedField, { shortest: number; longest: number }][];
  return fields
    .flatMap(([field, { shortest, longest }]) => {
      const characters = identity[field] === undefined ? [] : searchCharacters(field, identity[field]);
      const longestHere = Math.min(longest, characters.length);
      return Array.from({ length: Math.max(0, longestHere - shortest + 1) }, (_, step) =>
        searchToken(writer, field, characters.slice(0, shortest + step)),
      );
    })
    .sort();
}
