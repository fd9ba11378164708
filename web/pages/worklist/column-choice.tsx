import type { VNode } from 'preact';
import { useTexts } from '../../texts/texts.js';
import type { Column } from './columns.js';

interface ColumnChoiceProps {
  readonly available: readonly Column[];
  readonly shown: readonly Column[];
  readonly nameOf: (column: Column) => string;
  /** Null: the usual columns. */
  readonly onChange: (columns: readonly Column[] | null) => void;
}

/** Chooses the columns of the worklist. This device remembers the choice. */
export function ColumnChoice({ available, shown, nameOf, onChange }: ColumnChoiceProps): VNode {
  const { worklist: texts } = useTexts();
  return (
    <details
      class="column-choice"
      onKeyDown={({ key, currentTarget }) => {
        if (key !== 'Escape' || !currentTarget.open) return;
        currentTarget.open = false;
        currentTarget.querySelector('summary')!.focus();
      }}
    >
      <summary>{texts.columns}</summary>
      <fieldset aria-label={texts.columns}>
        {available.map((column) => (
          <label key={column}>
            <input
              type="checkbox"
              checked={shown.includes(column)}
              disabled={shown.length === 1 && shown[0] === column}
              onChange={({ currentTarget: { checked } }) =>
                onChange(available.filter((other) => (other === column ? checked : shown.includes(other))))
              }
            />{' '}
            {nameOf(column)}
          </label>
        ))}
        <button type="button" onClick={() => onChange(null)}>
          {texts.usualColumns}
        </button>
      </fieldset>
    </details>
  );
}
