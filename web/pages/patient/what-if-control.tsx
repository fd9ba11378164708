import { useId } from 'preact/hooks';
import { unitOf, valueText } from '../../components/value-text.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { sliderStart, sliderStep } from './changed-values.js';
import type { Feature } from './values.js';

interface Props {
  readonly feature: Feature;
  /** The value that is tried. Null: missing. */
  readonly value: number | null;
  /** The patient's own value. */
  readonly original: number | null;
  readonly isChanged: boolean;
  readonly onChange: (value: number | null) => void;
}

/** A slider with a field of numbers, or a choice, for one feature. */
export function WhatIfControl({ feature, value, original, isChanged, onChange }: Props) {
  const texts = useTexts().patient;
  const formats = useFormats();
  const id = useId();
  const mayMiss = feature.missing.policy !== 'REQUIRED' || original === null;
  return (
    <div class={`what-if-control${isChanged ? ' changed' : ''}`}>
      <label for={id}>
        {feature.label}
        {unitOf(feature) && ` (${feature.unitLabel})`}
        {isChanged && <span class="badge">{texts.chosen}</span>}
      </label>
      {feature.codes ? choice(feature.codes) : slider()}
      {isChanged && (
        <p class="quiet">
          {texts.presently(original === null ? texts.missing : valueText(feature, original, formats))}{' '}
          <button type="button" class="link" onClick={() => onChange(original)}>
            {texts.reset}
            <span class="visually-hidden">: {feature.label}</span>
          </button>
        </p>
      )}
    </div>
  );

  function choice(codes: NonNullable<Feature['codes']>) {
    return (
      <select
        id={id}
        value={value === null ? '' : String(value)}
        onChange={({ currentTarget }) => onChange(currentTarget.value === '' ? null : Number(currentTarget.value))}
      >
        {mayMiss && <option value="">{texts.missing}</option>}
        {codes.map((code) => (
          <option key={code.value} value={String(code.value)}>
            {code.label}
          </option>
        ))}
      </select>
    );
  }
  function slider() {
    const { range } = feature;
    const bounds = { min: range?.min, max: range?.max };
    return (
      <div class="slider">
        {range && (
          <input
            type="range"
            aria-label={feature.label}
            step={sliderStep(feature)}
            {...bounds}
            value={value ?? sliderStart(feature)}
            aria-valuetext={value === null ? texts.missing : valueText(feature, value, formats)}
            onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
          />
        )}
        <input
          id={id}
          type="number"
          step={feature.kind === 'COUNT' ? 1 : 'any'}
          {...bounds}
          placeholder={texts.missing}
          value={value ?? ''}
          onInput={({ currentTarget }) => {
            const given = currentTarget.valueAsNumber;
            if (!Number.isNaN(given)) onChange(given);
            else if (currentTarget.value === '' && mayMiss) onChange(null);
          }}
        />
        {mayMiss && (
          <label class="missing">
            <input
              type="checkbox"
              checked={value === null}
              onChange={({ currentTarget }) =>
                onChange(currentTarget.checked ? null : (original ?? sliderStart(feature)))
              }
            />{' '}
            {texts.missing}
            <span class="visually-hidden">: {feature.label}</span>
          </label>
        )}
      </div>
    );
  }
}
