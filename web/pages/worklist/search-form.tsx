import type { TargetedSubmitEvent, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../texts/texts.js';
import { searchFields, type Search } from './choice.js';

/** Looks for a patient by name or MRN. Both stay in memory: no address and no store of the browser has them. */
export function SearchForm({ onSearch }: { readonly onSearch: (search: Search | undefined) => void }): VNode {
  const { worklist: texts } = useTexts();
  const [by, setBy] = useState<Search['by']>('familyName');
  const [text, setText] = useState('');

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const given = text.trim();
    onSearch(given ? { by, text: given } : undefined);
  }
  return (
    <form role="search" class="search" autocomplete="off" aria-label={texts.search} onSubmit={submit}>
      <label>
        {texts.searchBy}{' '}
        <select value={by} onChange={({ currentTarget }) => setBy(currentTarget.value as Search['by'])}>
          {searchFields.map((field) => (
            <option key={field} value={field}>
              {texts.searchFields[field]}
            </option>
          ))}
        </select>
      </label>
      <input
        type="search"
        aria-label={texts.searchText}
        placeholder={texts.searchText}
        maxLength={200}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit" class="primary">
        {texts.find}
      </button>
      <button
        type="button"
        onClick={() => {
          setText('');
          onSearch(undefined);
        }}
      >
        {texts.clear}
      </button>
    </form>
  );
}
