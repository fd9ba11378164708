/**
 * Characters that a reader cannot see: controls, format and bidirectional characters, fillers, variation selectors, line
 * separators and the blank Braille pattern. Unicode 15.1, "Default_Ignorable_Code_Point" and the category "Other".
 */
const invisible = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\u2800]/gu;

/** Tells whether a text has characters that a reader cannot see. Two texts that differ in them look the same. */
export const hasInvisible = (text: string): boolean => text.search(invisible) >= 0;

/** A text as a reader sees it: in the normal form NFKC, on one line, without characters that cannot be seen. */
export const visibleText = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[^\S\ufeff]+/gu, ' ')
    .replace(invisible, '')
    .trim();

/** Control characters that are no white space, e.g. NUL. */
const control = /[^\P{Cc}\s]/u;

/**
 * An identifier in one spelling: as a reader sees it, with the plain hyphen for each kind of dash. An identifier with a
 * control character stays as it is, since no program shows or copies one by accident.
 */
export const identifierText = (text: string): string =>
  control.test(text) ? text : visibleText(text).replace(/[\p{Pd}\u2212\u2043]/gu, '-');

const latin = /\p{Script=Latin}/u;
const otherLetter = /[^\P{L}\p{Script=Latin}\p{Script=Common}]/u;

/**
 * Tells whether a text has Latin letters beside letters of another alphabet. Many of these look the same, such as the
 * Latin and the Cyrillic A. https://www.unicode.org/reports/tr39/#Mixed_Script_Detection
 */
export const mixesAlphabets = (text: string): boolean => latin.test(text) && otherLetter.test(text);

/** A text in which a reader sees every character: those that cannot be seen are written as `\u{200b}`. */
export const escapeInvisible = (text: string): string =>
  text.replace(invisible, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
