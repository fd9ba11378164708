import type { VNode } from 'preact';
import { useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { ConsoleModelsDocument } from '../../generated/graphql.js';
import { useTitle } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';

/** The versions of models that are offered for new jobs. */
export default function ModelList(): VNode {
  const { models, shell } = useTexts();
  const { number } = useFormats();
  const { data, error, isLoading, reload } = useQuery(ConsoleModelsDocument, {});
  useTitle(models.title);
  return (
    <>
      <h1>{models.title}</h1>
      <p>{models.listHelp}</p>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {isLoading && <p class="quiet">{shell.loading}</p>}
      {data && (
        <section class="card scroll" tabIndex={0} aria-label={models.list}>
          <table>
            <caption>{models.list}</caption>
            <thead>
              <tr>
                {[models.name, models.version, models.outcome, models.trainedOn, models.state].map((header) => (
                  <th key={header} scope="col">
                    {header}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.riskModels.map((model) => (
                <tr key={model.id}>
                  <th scope="row">
                    <a href={`/models/${encodeURIComponent(model.id)}`}>{model.name}</a>
                    <br />
                    <code>{model.modelId}</code>
                  </th>
                  <td>{model.version}</td>
                  <td>{model.outcome}</td>
                  <td>{models.patients(number(model.training.patients))}</td>
                  <td>
                    <span class={`badge ${model.isDefault ? 'good' : ''}`}>
                      {model.isDefault ? models.isDefault : models.offered}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
