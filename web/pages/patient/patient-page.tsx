import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useQuery, useQueryPage, useSubscription } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import {
  PatientPageDocument,
  PatientPageHistoryDocument,
  PatientPageModelsDocument,
  PatientPageNewResultDocument,
  type PatientPageHistoryQuery,
} from '../../generated/graphql.js';
import type { PageProps } from '../page-props.js';
import { navigate, usePlace, useQueryValue, useTitle } from '../../shell/router.js';
import { useMay, useViewer } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { BreakGlass } from './break-glass.js';
import { History } from './history.js';
import { Identity, nameOf } from './identity.js';
import { RiskPanel } from './risk-panel.js';
import { ScoreNow } from './score-now.js';
import { ValueTable } from './value-table.js';
import { isOutdated, type Model, type ShownPatient } from './values.js';
import { WhatIf } from './what-if.js';
import './patient.css';

/** Scores that are read at a time. */
const historyPage = 50;
const historyOf = ({ predictions }: PatientPageHistoryQuery) => predictions;

/** One patient: identity, values, risk with its reasons, scores over time, and what other values would give. */
export default function PatientPage({ params }: PageProps): VNode {
  const id = params['id']!;
  const texts = useTexts().patient;
  const formats = useFormats();
  const may = useMay();
  const { data, error, isLoading, reload } = useQuery(PatientPageDocument, {
    id,
    identity: may('patient:read-identity'),
  });
  const patient = data?.patient;
  const isOutside = error?.graphQLErrors.some(
    ({ extensions, path }) => extensions['code'] === 'FORBIDDEN' && path?.length === 1,
  );
  const mayBreakGlass = isOutside && may('patient:break-glass');
  useTitle(texts.title);
  if (!patient)
    return (
      <section class="message">
        <h1>{texts.title}</h1>
        {isLoading && <p class="quiet">{texts.loading}</p>}
        {error && !mayBreakGlass && <ErrorBox error={error} onRetry={isOutside ? undefined : reload} />}
        {mayBreakGlass && <BreakGlass patient={{ patientId: id }} onGranted={reload} />}
        {!isLoading && !error && <p>{texts.absent}</p>}
      </section>
    );
  return (
    <article class="patient-page">
      <header class="page-head">
        <h1>{heading(patient)}</h1>
        <button type="button" class="no-print" onClick={() => print()}>
          {texts.print}
        </button>
      </header>
      {patient.breakGlassExpiresAt && (
        <p class="note">{texts.breakGlassUntil(formats.dateTime(patient.breakGlassExpiresAt))}</p>
      )}
      {error && <ErrorBox error={error} onRetry={reload} />}
      <Identity patient={patient} />
      <ByModel patient={patient} onChanged={reload} />
      <Printed />
    </article>
  );

  function heading(shown: ShownPatient): string {
    if (!may('patient:read-identity')) return texts.unnamed(shown.id.slice(-6));
    return nameOf(shown) ?? texts.nameless;
  }
}

/** Says on paper who printed the page, and when. */
function Printed(): VNode {
  const texts = useTexts().patient;
  const formats = useFormats();
  const { username, organization } = useViewer();
  const [time] = useState(() => new Date().toISOString());
  return <p class="print-only">{texts.printed(formats.dateTime(time), `${username}, ${organization.name}`)}</p>;
}

/** The parts of the page that are about one model, with the choice of it. */
function ByModel({ patient, onChanged }: { readonly patient: ShownPatient; readonly onChanged: () => void }) {
  const texts = useTexts().patient;
  const { data, error, reload } = useQuery(PatientPageModelsDocument, {});
  const { path, query } = usePlace();
  const chosen = query.get('model');
  if (error) return <ErrorBox error={error} onRetry={reload} />;
  if (!data) return <p class="quiet">{texts.loading}</p>;
  const offered = data.riskModels.filter(({ isDefault, modelId }) => isDefault || modelId === chosen);
  const model = offered.find(({ modelId }) => modelId === chosen) ?? offered[0];
  if (!model) return <p class="note">{texts.noModel}</p>;
  return (
    <>
      {offered.length > 1 && (
        <label class="no-print">
          {texts.model}{' '}
          <select
            value={model.modelId}
            onChange={({ currentTarget }) =>
              // The job and the compared scores in the address are of the other model.
              navigate(`${path}?model=${encodeURIComponent(currentTarget.value)}`, { replace: true })
            }
          >
            {offered.map(({ modelId, name }) => (
              <option key={modelId} value={modelId}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Results key={model.id} model={model} patient={patient} onChanged={onChanged} />
    </>
  );
}

function Results(props: { readonly model: Model; readonly patient: ShownPatient; readonly onChanged: () => void }) {
  const { model, patient } = props;
  const texts = useTexts().patient;
  const may = useMay();
  const { query } = usePlace();
  const [jobId, setJob] = useQueryValue('job');
  const [, setEarlier] = useQueryValue('from');
  const [, setLater] = useQueryValue('to');
  const history = useQueryPage(
    PatientPageHistoryDocument,
    { first: historyPage, filter: { patientId: patient.id, modelId: model.modelId } },
    historyOf,
  );
  const latest = history.rows[0];
  const refresh = (): void => {
    history.reload();
    props.onChanged();
  };
  // Another user, or another window, may score the patient too.
  const begins = useRef(0);
  useSubscription(
    PatientPageNewResultDocument,
    { patientId: patient.id },
    ({ predictionCreated: { modelId } }) => {
      if (modelId === model.modelId) refresh();
    },
    { onBegin: () => (begins.current += 1) > 1 && refresh() },
  );
  return (
    <>
      <section class="card risk">
        <h2>{`${texts.risk}: ${model.name}`}</h2>
        {may('job:submit') && (
          <ScoreNow patient={patient} model={model} jobId={jobId} onJob={setJob} onScored={refresh} />
        )}
        {history.error && <ErrorBox error={history.error} onRetry={history.reload} />}
        {latest ? (
          <RiskPanel model={model} latest={latest} isOutdated={isOutdated(patient, latest)} />
        ) : (
          !history.isLoading && !history.error && <p>{texts.noResult}</p>
        )}
      </section>
      <ValueTable model={model} patient={patient} />
      {latest && (
        <History
          model={model}
          results={history.rows}
          totalCount={history.totalCount}
          query={query}
          onEarlier={setEarlier}
          onLater={setLater}
          onMore={history.hasMore ? () => history.reach(history.rows.length) : undefined}
        />
      )}
      {may('risk:simulate') && may('patient:read') && <WhatIf model={model} patient={patient} />}
    </>
  );
}
