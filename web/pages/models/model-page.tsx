import type { VNode } from 'preact';
import { useQuery } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { Markdown } from '../../components/markdown.js';
import { ConsoleModelDocument, ConsoleModelsDocument } from '../../generated/graphql.js';
import type { PageProps } from '../page-props.js';
import { navigate, useQueryValue, useTitle } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import type { Model } from './model.js';
import { ModelBehaviour } from './model-behaviour.js';
import { ModelFacts } from './model-facts.js';
import { ModelInputs } from './model-inputs.js';
import { ModelQuality } from './model-quality.js';
import { ModelTrial } from './model-trial.js';

const tabs = ['card', 'inputs', 'quality', 'behaviour', 'trial'] as const;
type Tab = (typeof tabs)[number];

/** One version of a model. The address names the part that is shown. */
export default function ModelPage({ params }: PageProps): VNode {
  const id = params['id']!;
  const { models, shell } = useTexts();
  const { data, error, isLoading, reload } = useQuery(ConsoleModelDocument, { id });
  const model = data?.riskModel;
  useTitle(model ? `${model.name} ${model.version}` : models.title);
  if (model) return <ModelDetail model={model} />;
  return (
    <>
      <h1>{isLoading ? models.title : models.notFound}</h1>
      {isLoading && <p class="quiet">{shell.loading}</p>}
      {error && <ErrorBox error={error} onRetry={reload} />}
      {!isLoading && !error && <p>{models.notFoundHelp}</p>}
    </>
  );
}

function ModelDetail({ model }: { readonly model: Model }): VNode {
  const { models } = useTexts();
  const { date } = useFormats();
  const [tab, setTab] = useQueryValue('tab', 'card');
  return (
    <>
      <div class="page-head">
        <h1>
          {model.name} {model.version}
        </h1>
        <span>
          {model.retiredAt ? (
            <span class="badge warning">{models.retired(date(model.retiredAt))}</span>
          ) : (
            <span class={`badge ${model.isDefault ? 'good' : ''}`}>
              {model.isDefault ? models.isDefault : models.offered}
            </span>
          )}{' '}
          <Versions model={model} />
        </span>
      </div>
      <p>{model.description}</p>
      <div class="note">
        <strong>{models.intendedUse}</strong>
        <p>{model.intendedUse}</p>
      </div>
      <nav class="tabs" aria-label={models.tabs.label}>
        {tabs.map((name) => (
          <a
            key={name}
            href={`/models/${encodeURIComponent(model.id)}${name === 'card' ? '' : `?tab=${name}`}`}
            aria-current={name === tab ? 'page' : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              setTab(name);
            }}
          >
            {models.tabs[name]}
          </a>
        ))}
      </nav>
      <Part tab={tab as Tab} model={model} />
    </>
  );
}

function Part({ tab, model }: { readonly tab: Tab; readonly model: Model }): VNode {
  switch (tab) {
    case 'inputs':
      return <ModelInputs model={model} />;
    case 'quality':
      return <ModelQuality model={model} />;
    case 'behaviour':
      return <ModelBehaviour model={model} />;
    case 'trial':
      return <ModelTrial model={model} />;
    default:
      return (
        <>
          <ModelFacts model={model} />
          <section class="card">
            <Markdown text={model.card} firstLevel={2} />
          </section>
        </>
      );
  }
}

/** A choice of the versions of the same model. */
function Versions({ model }: { readonly model: Model }): VNode | null {
  const { models } = useTexts();
  const { data } = useQuery(ConsoleModelsDocument, {});
  const versions = (data?.riskModels ?? []).filter(({ modelId }) => modelId === model.modelId);
  const others = versions.some(({ id }) => id === model.id) ? versions : [model, ...versions];
  if (others.length < 2) return null;
  return (
    <label class="inline">
      {models.versions}
      <select
        value={model.id}
        onChange={({ currentTarget }) =>
          navigate(`/models/${encodeURIComponent(currentTarget.value)}${location.search}`)
        }
      >
        {others.map(({ id, version }) => (
          <option key={id} value={id}>
            {version}
          </option>
        ))}
      </select>
    </label>
  );
}
