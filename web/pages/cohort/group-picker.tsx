import type { VNode } from 'preact';
import { TypedInput } from '../../components/typed-input.js';
import { usePlace, useQueryValue, navigate } from '../../shell/router.js';
import { useTexts } from '../../texts/texts.js';
import type { CohortModel } from './cohort-data.js';
import { allOthers, type Split } from './group-choice.js';

interface GroupPickerProps {
  readonly model: CohortModel;
  readonly split: Split;
}

/** Chooses the two groups: by band, by two codes, or by a threshold. */
export function GroupPicker({ model, split }: GroupPickerProps): VNode {
  const { cohort } = useTexts();
  const { path } = usePlace();
  const [, setFirst] = useQueryValue('first');
  const [, setSecond] = useQueryValue('second');
  const [, setThreshold] = useQueryValue('at');
  const feature = split.by === 'band' ? undefined : model.features.find(({ code }) => code === split.code);
  const options: { value: string; label: string }[] =
    split.by === 'band'
      ? model.riskBands.map(({ band }) => ({ value: band, label: cohort.bands[band] }))
      : (feature?.codes ?? []).map(({ value, label }) => ({ value: String(value), label }));
  const current = split.by === 'band' ? split.bands : split.by === 'codes' ? split.values.map(String) : [];
  const choose = (label: string, index: 0 | 1, set: (value: string) => void): VNode => (
    <label>
      {label}
      <select value={current[index]} onChange={({ currentTarget }) => set(currentTarget.value)}>
        {options.map(({ value, label: name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
        {split.by === 'band' && index === 1 && <option value={allOthers}>{cohort.others}</option>}
      </select>
    </label>
  );
  return (
    <div class="filters">
      <label>
        {cohort.split}
        <select
          value={split.by === 'band' ? 'band' : split.code}
          onChange={({ currentTarget }) =>
            navigate(`${path}?view=groups&split=${encodeURIComponent(currentTarget.value)}`, { replace: true })
          }
        >
          <option value="band">{cohort.byBand}</option>
          {model.features.map(({ code, label }) => (
            <option key={code} value={code}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {split.by !== 'threshold' && choose(cohort.firstGroup, 0, setFirst)}
      {split.by !== 'threshold' && choose(cohort.secondGroup, 1, setSecond)}
      {split.by === 'threshold' && (
        <label>
          {cohort.threshold}
          {feature?.unitLabel && ` (${feature.unitLabel})`}
          <TypedInput type="number" step="any" value={String(split.at)} onTake={setThreshold} />
        </label>
      )}
    </div>
  );
}
