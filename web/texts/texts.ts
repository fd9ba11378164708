import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Texts } from './catalogue.js';
import { createFormats, type Formats } from './formats.js';

/** The languages, each under its own name. */
export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

/** What the page says when nothing answers at its start: all other texts come from the server too. */
export const noServer: Readonly<Record<Language, string>> = {
  en: 'RiskGraph does not answer. Check the network, and load the page again.',
  de: 'RiskGraph antwortet nicht. Prüfen Sie das Netz, und laden Sie die Seite neu.',
};

const catalogues: Readonly<Record<Language, () => Promise<{ readonly texts: Texts }>>> = {
  en: () => import('./en/index.js'),
  de: () => import('./de/index.js'),
};

/** The texts of one language, and its numbers and times. */
export interface Words {
  readonly language: Language;
  readonly texts: Texts;
  readonly formats: Formats;
}

export async function loadWords(language: Language): Promise<Words> {
  const { texts } = await catalogues[language]();
  return { language, texts, formats: createFormats(language) };
}

export const WordsContext = createContext<Words>(undefined as never);

/** The texts in the viewer's language. */
export const useTexts = (): Texts => useContext(WordsContext).texts;
/** Numbers and times in the viewer's language. */
export const useFormats = (): Formats => useContext(WordsContext).formats;

const storageKey = 'riskgraph.language';

const isLanguage = (text: string | null): text is Language => text !== null && Object.hasOwn(languages, text);

/** The language that the viewer chose on this device, else that of the browser, else English. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';
}

export const rememberLanguage = (language: Language): void => localStorage.setItem(storageKey, language);
