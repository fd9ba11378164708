import type { VNode } from 'preact';
import { distributionTable, renderDistribution } from '../../../src/risk/plots/distribution.js';
import { ErrorBox } from '../../components/error-box.js';
import { Figure } from '../../components/figure.js';
import { usePlace } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { CohortJob, CohortModel, FigureProps } from './cohort-data.js';
import { Dependence } from './dependence.js';
import { Groups } from './groups.js';
import { Reasons } from './reasons.js';
import { mostShown, useResults } from './use-results.js';

interface ResultsProps {
  readonly job: CohortJob;
  readonly model: CohortModel;
}

/** The figures of a cohort, one view at a time. The address names the view. */
export function Results({ job, model }: ResultsProps): VNode {
  const { cohort } = useTexts();
  const { number } = useFormats();
  const { path, query } = usePlace();
  const { read, data, error, retry } = useResults(
    job.id,
    model.features.map(({ code }) => code),
  );
  const views = Object.keys(cohort.views) as (keyof typeof cohort.views)[];
  const view = views.find((name) => name === query.get('view')) ?? 'risks';
  const total = Math.min(job.progress.total, mostShown);
  return (
    <section class="card">
      <h2>{cohort.results}</h2>
      <nav class="tabs" aria-label={cohort.viewsLabel}>
        {views.map((name) => (
          <a key={name} href={`${path}?view=${name}`} aria-current={name === view ? 'page' : undefined}>
            {cohort.views[name]}
          </a>
        ))}
      </nav>
      {error && <ErrorBox error={error} onRetry={retry} />}
      {!data && !error && <p role="status">{cohort.reading(number(read), number(total))}</p>}
      {data && job.progress.total > mostShown && <p class="note">{cohort.most(number(mostShown))}</p>}
      {data && data.values.length === 0 && <p>{cohort.noResults}</p>}
      {data && data.values.length > 0 && <View view={view} model={model} data={data} />}
    </section>
  );
}

function View({ view, model, data }: FigureProps & { readonly view: string }): VNode {
  const { cohort } = useTexts();
  if (view === 'risks') return <Risks model={model} data={data} />;
  if (data.shap.size === 0) return <p class="note">{cohort.noContributions}</p>;
  if (view === 'reasons') return <Reasons model={model} data={data} />;
  if (view === 'dependence') return <Dependence model={model} data={data} />;
  return <Groups model={model} data={data} />;
}

function Risks({ model, data }: FigureProps): VNode {
  const { cohort } = useTexts();
  const { number } = useFormats();
  const { quantity, outcome } = model;
  const input = {
    title: cohort.risks,
    subtitle: `${cohort.patients(number(data.values.length))}. ${outcome}`,
    valueLabel: quantity ? `${outcome} (${quantity.unitLabel || quantity.unit})` : cohort.probability,
    isProbability: !quantity,
    values: data.values,
    bands: model.riskBands.map(({ band, from }) => ({
      name: cohort.bands[band],
      from,
      patients: data.bands.filter((one) => one === band).length,
    })),
  };
  return (
    <Figure
      fileName="risks-of-the-cohort"
      draw={(options) => renderDistribution(input, options)}
      table={(options) => distributionTable(input, options)}
    />
  );
}
