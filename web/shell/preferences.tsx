import type { VNode } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { languages, WordsContext, type Language } from '../texts/texts.js';
import { applyTheme, preferredTheme, type Theme } from './theme.js';

const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** The choice of colours and language, which this device remembers. */
export function Preferences({ onLanguage }: { readonly onLanguage: (language: Language) => void }): VNode {
  const { texts, language } = useContext(WordsContext);
  const [theme, setTheme] = useState(preferredTheme);
  return (
    <div class="preferences">
      <select
        aria-label={texts.shell.theme}
        value={theme}
        onChange={({ currentTarget }) => {
          const chosen = currentTarget.value as Theme;
          applyTheme(chosen);
          setTheme(chosen);
        }}
      >
        {themes.map((name) => (
          <option key={name} value={name}>
            {texts.shell.themes[name]}
          </option>
        ))}
      </select>
      <select
        aria-label={texts.shell.language}
        value={language}
        onChange={({ currentTarget }) => onLanguage(currentTarget.value as Language)}
      >
        {Object.entries(languages).map(([name, own]) => (
          <option key={name} value={name} lang={name}>
            {own}
          </option>
        ))}
      </select>
    </div>
  );
}
