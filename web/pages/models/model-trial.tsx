import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { renderWaterfall } from '../../../src/risk/plots/waterfall.js';
import { useQuery } from '../../api/hooks.js';
import { useDebounced } from '../../components/debounced.js';
import { ErrorBox } from '../../components/error-box.js';
import { Figure } from '../../components/figure.js';
import { useSpace } from '../../components/use-space.js';
import { outputText } from '../../components/value-text.js';
import { inWords, waterfallOf, waterfallTable } from '../../components/waterfall.js';
import { ConsoleModelTrialDocument, type ConsoleModelTrialQuery } from '../../generated/graphql.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { labelWithUnit, type Feature, type Model } from './model.js';

type Answer = ConsoleModelTrialQuery['simulateRisk'];
type Values = Readonly<Record<string, number>>;

/** Time without a change after which the values are sent, milliseconds. */
const settleMs = 200;

/** Asks the model for values of the viewer's choice. Values stay in the memory of the page, and nothing is stored. */
export function ModelTrial({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const may = useMay();
  return (
    <section class="card">
      <h2>{models.trial}</h2>
      {may('risk:simulate') ? (
        <>
          <p>{models.trialHelp}</p>
          <Trial key={model.id} model={model} />
        </>
      ) : (
        <p>{models.trialNotAllowed}</p>
      )}
    </section>
  );
}

function Trial({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const [values, setValues] = useState<Values>({});
  const settled = useDebounced(values, settleMs);
  const lacks = model.features.some(({ code, missing }) => missing.policy === 'REQUIRED' && !(code in settled));
  const features = Object.entries(settled).map(([code, value]) => ({ code, value }));
  const { data, error } = useQuery(
    ConsoleModelTrialDocument,
    { input: { modelId: model.modelId, modelVersion: model.version, features } },
    { pause: lacks },
  );
  function change(code: string, value: number | undefined): void {
    const { [code]: _, ...others } = values;
    setValues(value === undefined ? others : { ...others, [code]: value });
  }
  return (
    <>
      <div class="trial-inputs">
        {model.features.map((feature) => (
          <TrialInput
            key={feature.code}
            feature={feature}
            value={values[feature.code]}
            onChange={(value) => change(feature.code, value)}
          />
        ))}
      </div>
      <div aria-live="polite">
        {lacks && <p class="note">{models.choose}</p>}
        {!lacks && error && <ErrorBox error={error} />}
        {!lacks && !error && data && <TrialAnswer model={model} answer={data.simulateRisk} />}
      </div>
    </>
  );
}

interface TrialInputProps {
  readonly feature: Feature;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

function TrialInput({ feature, value, onChange }: TrialInputProps): VNode {
  const { models } = useTexts();
  const isNeeded = feature.missing.policy === 'REQUIRED';
  const take = (text: string): void => {
    const number = Number(text);
    onChange(text.trim() === '' || Number.isNaN(number) ? undefined : number);
  };
  return (
    <label>
      {labelWithUnit(feature)} {isNeeded && <small>{models.needed}</small>}
      {feature.codes ? (
        <select
          value={value === undefined ? '' : String(value)}
          onChange={({ currentTarget }) => take(currentTarget.value)}
        >
          <option value="">{models.notGiven}</option>
          {feature.codes.map((code) => (
            <option key={code.value} value={String(code.value)}>
              {code.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          type="number"
          step={feature.kind === 'COUNT' ? 1 : 'any'}
          min={feature.range?.min}
          max={feature.range?.max}
          placeholder={models.notGiven}
          value={value ?? ''}
          onInput={({ currentTarget }) => take(currentTarget.value)}
        />
      )}
    </label>
  );
}

function TrialAnswer({ model, answer }: { readonly model: Model; readonly answer: Answer }): VNode {
  const { models, parts } = useTexts();
  const formats = useFormats();
  const { riskBand } = answer;
  const explanation = inWords(model, answer.explanation, parts, formats);
  const meaning = model.riskBands.find(({ band }) => band === riskBand)?.meaning;
  const space = useSpace(model);
  return (
    <>
      <h3>
        {models.answer}: {outputText(model, answer.value, formats)}{' '}
        <span class="badge">{models.bandNames[riskBand]}</span> <span class="badge warning">{models.simulated}</span>
      </h3>
      <p>{meaning}</p>
      <Figure
        fileName={`trial-${model.modelId}-${model.version}`}
        draw={(options) => renderWaterfall(waterfallOf(model, answer, explanation), options)}
        table={() => waterfallTable(explanation, space, { ...models, feature: models.input }, formats)}
      />
    </>
  );
}
