import type { VNode } from 'preact';
import { useTexts } from '../../texts/texts.js';
import { orders, riskBands, type Choice, type Order } from './choice.js';

interface FiltersProps {
  readonly choice: Choice;
  /** The models whose results can be listed, with the chosen one. */
  readonly models: readonly { readonly modelId: string; readonly name: string }[];
  readonly modelId: string;
  /** False: the viewer may not see results, so nothing is listed by them. */
  readonly withResults: boolean;
  readonly onChange: (choice: Choice) => void;
}

/** Chooses the model, the order and the bands of the worklist. The address keeps the choice. */
export function Filters({ choice, models, modelId, withResults, onChange }: FiltersProps): VNode {
  const { worklist: texts, patient } = useTexts();
  const offered = withResults ? orders : orders.filter((order) => order === 'changed' || order === 'created');
  return (
    <div class="filters" role="group" aria-label={texts.filters}>
      {models.length > 1 && (
        <label>
          {texts.model}{' '}
          <select value={modelId} onChange={({ currentTarget }) => onChange({ ...choice, model: currentTarget.value })}>
            {models.map((model) => (
              <option key={model.modelId} value={model.modelId}>
                {model.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        {texts.order}{' '}
        <select
          value={choice.order}
          onChange={({ currentTarget }) => onChange({ ...choice, order: currentTarget.value as Order })}
        >
          {offered.map((order) => (
            <option key={order} value={order}>
              {texts.orders[order]}
            </option>
          ))}
        </select>
      </label>
      {withResults && (
        <fieldset class="bands">
          <legend>{texts.bands}</legend>
          {riskBands.map((band) => (
            <label key={band}>
              <input
                type="checkbox"
                checked={choice.bands.includes(band)}
                onChange={({ currentTarget: { checked } }) =>
                  onChange({
                    ...choice,
                    bands: riskBands.filter((other) => (other === band ? checked : choice.bands.includes(other))),
                  })
                }
              />{' '}
              {patient.bands[band]}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}
