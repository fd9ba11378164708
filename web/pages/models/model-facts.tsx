import type { VNode } from 'preact';
import { outputText } from '../../components/value-text.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { Model } from './model.js';

/** Facts about a model and its risk bands. */
export function ModelFacts({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const formats = useFormats();
  const { training } = model;
  return (
    <div class="columns spaced">
      <section class="card">
        <h2>{models.facts}</h2>
        <dl class="facts">
          <dt>{models.outcome}</dt>
          <dd>{model.outcome}</dd>
          <dt>{models.trainedOn}</dt>
          <dd>
            {models.patients(formats.number(training.patients))}
            {training.events != null && `, ${models.events(formats.number(training.events))}`}
          </dd>
          <dt>{models.data}</dt>
          <dd>{training.data}</dd>
          <dt>{models.algorithm}</dt>
          <dd>{training.algorithm}</dd>
          <dt>{models.methods}</dt>
          <dd>{model.shapMethods.map((method) => models.methodNames[method]).join(', ')}</dd>
          <dt>{models.fingerprint}</dt>
          <dd>
            <code>{model.sha256}</code>
          </dd>
        </dl>
      </section>
      <section class="card scroll" tabIndex={0} aria-label={models.bands}>
        <h2>{models.bands}</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">{models.band}</th>
              <th scope="col" class="number">
                {models.from}
              </th>
              <th scope="col">{models.meaning}</th>
            </tr>
          </thead>
          <tbody>
            {model.riskBands.map(({ band, from, meaning }) => (
              <tr key={band}>
                <th scope="row">{models.bandNames[band]}</th>
                <td class="number">{outputText(model, from, formats)}</td>
                <td>{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
