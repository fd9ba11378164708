import type { VNode } from 'preact';
import { barsTable, renderBars } from '../../../src/risk/plots/bars.js';
import { Figure } from '../../components/figure.js';
import { useSpace } from '../../components/use-space.js';
import { useQueryValue } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useTexts } from '../../texts/texts.js';
import type { Model } from './model.js';
import { PartialDependence } from './partial-dependence.js';

/** How a model uses its inputs: their importance, and what each does to the answer. */
export function ModelBehaviour({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const may = useMay();
  const most = model.globalImportance[0]?.feature.code ?? model.features[0]!.code;
  const [code, setCode] = useQueryValue('input', most);
  const feature = model.features.find((known) => known.code === code) ?? model.features[0]!;
  const importance = {
    title: models.importanceTitle(`${model.name} ${model.version}`),
    subtitle: models.importanceHelp,
    unit: models.importanceUnit(useSpace(model)),
    rows: model.globalImportance.map(({ feature: { label }, value }) => ({ label, value })),
  };
  return (
    <>
      <section class="card">
        <h2>{models.importance}</h2>
        <Figure
          fileName={`importance-${model.modelId}-${model.version}`}
          draw={(options) => renderBars(importance, options)}
          table={(options) => barsTable(importance, options)}
        />
      </section>
      <section class="card">
        <h2>{models.partial}</h2>
        <p>{models.partialHelp}</p>
        {may('risk:simulate') && may('prediction:read') ? (
          <>
            <div class="filters">
              <label>
                {models.partialInput}
                <select value={feature.code} onChange={({ currentTarget }) => setCode(currentTarget.value)}>
                  {model.features.map(({ code: name, label }) => (
                    <option key={name} value={name}>
                      {label}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <PartialDependence key={feature.code} model={model} feature={feature} />
          </>
        ) : (
          <p class="quiet">{models.partialNotAllowed}</p>
        )}
      </section>
    </>
  );
}
