import type { VNode } from 'preact';
import { TypedInput } from '../../components/typed-input.js';
import type { AdministrativeGender, RiskBand } from '../../generated/graphql.js';
import { navigate, usePlace, useQueryValue } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useTexts } from '../../texts/texts.js';
import type { PrivateConditions } from './cohort-filter.js';

interface ConditionsProps {
  /** The bands of the chosen model. */
  readonly bands: readonly RiskBand[];
  /** False for a model that gives a quantity. */
  readonly hasProbability: boolean;
  readonly own: PrivateConditions;
  readonly onOwn: (own: PrivateConditions) => void;
}

/** The conditions on patients. Those that the viewer may not use are not offered. */
export function Conditions({ bands, hasProbability, own, onOwn }: ConditionsProps): VNode {
  const { cohort, parts } = useTexts();
  const may = useMay();
  const [sex, setSex] = useQueryValue('sex');
  const [from, setFrom] = useQueryValue('from');
  const [to, setTo] = useQueryValue('to');
  const [created, setCreated] = useQueryValue('created');
  const [changed, setChanged] = useQueryValue('changed');
  const { path, query } = usePlace();
  const chosen = query.getAll('band');
  function toggle(band: RiskBand): void {
    const next = new URLSearchParams(query);
    next.delete('band');
    for (const one of bands) if (chosen.includes(one) !== (one === band)) next.append('band', one);
    navigate(`${path}?${next}`, { replace: true });
  }
  const share = (label: string, value: string, set: (value: string) => void): VNode => (
    <label>
      {label}
      <TypedInput isLive type="number" min={0} max={100} step="any" value={value} onTake={set} />
    </label>
  );
  const time = (label: string, value: string, set: (value: string) => void): VNode => (
    <label>
      {label}
      <TypedInput isLive type="datetime-local" value={value} onTake={set} />
    </label>
  );
  return (
    <fieldset>
      <legend>{cohort.conditions}</legend>
      <p class="quiet">{cohort.conditionsHelp}</p>
      <div class="filters">
        {may('patient:read') && (
          <label>
            {cohort.sex}
            <select value={sex} onChange={({ currentTarget }) => setSex(currentTarget.value)}>
              <option value="">{parts.all}</option>
              {(Object.keys(cohort.sexes) as AdministrativeGender[]).map((name) => (
                <option key={name} value={name}>
                  {cohort.sexes[name]}
                </option>
              ))}
            </select>
          </label>
        )}
        {hasProbability && share(cohort.minimum, from, setFrom)}
        {hasProbability && share(cohort.maximum, to, setTo)}
        {time(cohort.createdAfter, created, setCreated)}
        {time(cohort.updatedAfter, changed, setChanged)}
        {may('patient:read-identity') &&
          (['mrnPrefix', 'familyName'] as const).map((field) => (
            <label key={field}>
              {cohort[field]}
              <TypedInput
                isLive
                value={own[field]}
                autocomplete="off"
                spellcheck={false}
                onTake={(text) => onOwn({ ...own, [field]: text })}
              />
            </label>
          ))}
      </div>
      <div class="filters" role="group" aria-label={cohort.latestBand}>
        <span>{cohort.latestBand}:</span>
        {bands.map((band) => (
          <label key={band} class="inline">
            <input type="checkbox" checked={chosen.includes(band)} onChange={() => toggle(band)} />
            {cohort.bands[band]}
          </label>
        ))}
      </div>
      {may('patient:read-identity') && <p class="quiet">{cohort.notInAddress}</p>}
    </fieldset>
  );
}
