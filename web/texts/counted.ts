/**
 * Writes a number with its noun. English and German have one form for 1, and another one for every other number, which
 * `1.0` is too (https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html).
 * @param count as the language writes it, with or without a sign
 */
export const counted = (count: string, one: string, others: string): string => `${count} ${form(count, one, others)}`;

/** Chooses the form of words that do not follow right after their number. */
export const form = (count: string, one: string, others: string): string => (/^[+\-−]?1$/.test(count) ? one : others);
