import type { VNode } from 'preact';
import { reliabilityTable, renderReliability } from '../../../src/risk/plots/reliability.js';
import { Figure } from '../../components/figure.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { Model } from './model.js';

/** Digits after the point of a metric. */
const metricDigits = 3;

/** The metrics of a model with their intervals, and its reliability diagram. */
export function ModelQuality({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const { number } = useFormats();
  return (
    <>
      <section class="card">
        <h2>{models.reliability}</h2>
        <Reliability model={model} />
      </section>
      <section class="card scroll" tabIndex={0} aria-label={models.metrics}>
        <h2>{models.metrics}</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">{models.metric}</th>
              <th scope="col" class="number">
                {models.value}
              </th>
              <th scope="col">{models.interval}</th>
              <th scope="col">{models.method}</th>
            </tr>
          </thead>
          <tbody>
            {model.metrics.map(({ name, method, value, confidenceInterval }) => (
              <tr key={`${name} ${method}`}>
                <th scope="row">{name}</th>
                <td class="number">{number(value, metricDigits)}</td>
                <td>{confidenceInterval?.map((end) => number(end, metricDigits)).join(' – ')}</td>
                <td>{method}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Reliability({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const { reliability } = model;
  if (!reliability) return <p>{models.noReliability}</p>;
  const input = {
    title: models.reliabilityTitle(`${model.name} ${model.version}`),
    subtitle: `${models.reliabilityHelp} ${reliability.method}.`,
    bins: reliability.groups.map(({ interval, ...group }) => ({
      ...group,
      interval: [interval[0]!, interval[1]!] as const,
    })),
  };
  return (
    <Figure
      fileName={`reliability-${model.modelId}-${model.version}`}
      draw={(options) => renderReliability(input, options)}
      table={(options) => reliabilityTable(input, options)}
    />
  );
}
