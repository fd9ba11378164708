import { useState } from 'preact/hooks';
import { useQuery } from '../../api/hooks.js';
import { useDebounced } from '../../components/debounced.js';
import { ErrorBox } from '../../components/error-box.js';
import { PatientPageSimulationDocument } from '../../generated/graphql.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { toFeatures, withChange, type Changes } from './changed-values.js';
import { Difference } from './comparison.js';
import { Answer, Reasons } from './risk-panel.js';
import { valueRows, type Model, type ShownPatient } from './values.js';
import { WhatIfControl } from './what-if-control.js';

/** Time without a change after which the values are sent, milliseconds. */
const settleMs = 150;

/** Tries other values: the model answers at once, next to its answer for the present values. Nothing is stored. */
export function WhatIf({ model, patient }: { readonly model: Model; readonly patient: ShownPatient }) {
  const texts = useTexts().patient;
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="card what-if no-print">
      <h2>{texts.whatIf}</h2>
      {isOpen ? (
        <Trial model={model} patient={patient} />
      ) : (
        <button type="button" onClick={() => setOpen(true)}>
          {texts.whatIfBegin}
        </button>
      )}
    </section>
  );
}

function Trial({ model, patient }: { readonly model: Model; readonly patient: ShownPatient }) {
  const texts = useTexts().patient;
  const formats = useFormats();
  const [changes, setChanges] = useState<Changes>({});
  const settled = useDebounced(changes, settleMs);
  const isChanged = Object.keys(changes).length > 0;
  const input = { patientId: patient.id, modelId: model.id };
  const original = useQuery(PatientPageSimulationDocument, { input });
  const changed = useQuery(
    PatientPageSimulationDocument,
    { input: { ...input, features: toFeatures(settled) } },
    { pause: Object.keys(settled).length === 0 },
  );
  const before = original.data?.simulateRisk;
  const after = isChanged ? changed.data?.simulateRisk : undefined;
  const used = new Map(before?.inputs.map(({ code, value }) => [code, value ?? null]));
  const presentOf = new Map(
    valueRows(model, patient).map(({ feature: { code }, value }) => [code, used.get(code) ?? value ?? null]),
  );
  return (
    <>
      <p class="simulated">
        <strong>{texts.simulated}.</strong> {texts.simulatedHelp}
      </p>
      <div class="what-if-controls">
        {model.features.map((feature) => {
          const present = presentOf.get(feature.code) ?? null;
          const { [feature.code]: given } = changes;
          return (
            <WhatIfControl
              key={feature.code}
              feature={feature}
              original={present}
              value={given === undefined ? present : given}
              isChanged={given !== undefined}
              onChange={(value) => setChanges((now) => withChange(now, feature.code, value, present))}
            />
          );
        })}
      </div>
      <button type="button" disabled={!isChanged} onClick={() => setChanges({})}>
        {texts.resetAll}
      </button>
      {original.error && <ErrorBox error={original.error} />}
      <div class="side-by-side">
        <section class="simulated" aria-label={texts.original}>
          <h3>{texts.original}</h3>
          <span class="badge">{texts.simulated}</span>
          {before && <Answer answer={before} model={model} />}
          {before && <Reasons model={model} answer={before} />}
        </section>
        <section class="simulated" aria-label={texts.withChanges} aria-live="polite">
          <h3>{texts.withChanges}</h3>
          <span class="badge">{texts.simulated}</span>
          {!isChanged && <p class="quiet">{texts.noChanges}</p>}
          {isChanged && changed.error && <ErrorBox error={changed.error} />}
          {after && <Answer answer={after} model={model} />}
          {before && after && <p>{difference(before, after)}</p>}
          {after && <Reasons model={model} answer={after} />}
        </section>
      </div>
      {before && after && (
        <Difference
          model={model}
          before={{ ...before, name: texts.original }}
          after={{ ...after, name: texts.withChanges }}
        />
      )}
    </>
  );

  function difference(one: Numbered, other: Numbered): string {
    const amount =
      one.probability != null && other.probability != null
        ? texts.points(formats.signed((other.probability - one.probability) * 100, 1))
        : `${formats.signed(other.value - one.value)} ${model.quantity?.unitLabel ?? ''}`;
    return texts.difference(amount.trim());
  }
}

interface Numbered {
  readonly value: number;
  readonly probability?: number | null;
}
