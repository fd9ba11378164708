import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useMutation, useQuery, useSubscription } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import { ConsoleCancelJobDocument, ConsoleCohortDocument, ConsoleJobUpdatedDocument } from '../../generated/graphql.js';
import { useTitle } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobFailures } from '../jobs/job-failures.js';
import { isUnfinished, JobProgress, JobState } from '../jobs/job-state.js';
import type { PageProps } from '../page-props.js';
import type { CohortJob } from './cohort-data.js';
import { Downloads } from './downloads.js';
import { rateOf, withSample, type Sample } from './progress-rate.js';
import { Results } from './results.js';

/** One cohort: its progress while it runs, then its figures, failures and files. */
export default function CohortPage({ params }: PageProps): VNode {
  const id = params['id']!;
  const { cohort, shell } = useTexts();
  const { data, error, isLoading, reload } = useQuery(ConsoleCohortDocument, { id });
  useTitle(cohort.title);
  if (data?.scoringJob) return <Cohort key={id} job={data.scoringJob} />;
  if (isLoading)
    return (
      <>
        <h1>{cohort.title}</h1>
        <p class="quiet">{shell.loading}</p>
      </>
    );
  return (
    <>
      <h1>{cohort.notFound}</h1>
      {error ? <ErrorBox error={error} onRetry={reload} /> : <p>{cohort.notFoundHelp}</p>}
    </>
  );
}

function Cohort({ job }: { readonly job: CohortJob }): VNode {
  const { cohort, jobs } = useTexts();
  const { dateTime } = useFormats();
  const may = useMay();
  const cancel = useMutation(ConsoleCancelJobDocument);
  // The cache takes up each change, so the page shows it.
  const { error } = useSubscription(ConsoleJobUpdatedDocument, { id: job.id });
  const { progress, model } = job;
  const hasResults = !isUnfinished(job) && progress.processed > progress.failed;
  return (
    <>
      <div class="page-head">
        <h1>{cohort.heading(`${model?.name ?? job.modelId} ${job.modelVersion}`)}</h1>
        <div class="actions">
          {may('job:control') && isUnfinished(job) && (
            <ConfirmButton
              question={jobs.cancelQuestion}
              confirm={jobs.cancelConfirm}
              disabled={cancel.isRunning}
              onConfirm={() => void cancel.run({ id: job.id })}
            >
              {jobs.cancel}
            </ConfirmButton>
          )}
        </div>
      </div>
      {(cancel.error ?? error) && <ErrorBox error={(cancel.error ?? error)!} />}
      <section class="card">
        <h2>{cohort.progress}</h2>
        <p>
          <JobState state={job.state} /> {job.submittedBy},{' '}
          <time dateTime={job.submittedAt}>{dateTime(job.submittedAt)}</time>
        </p>
        <JobProgress job={job} />
        {job.state === 'ACTIVE' && <Rate progress={progress} />}
        {job.error && (
          <div class="note">
            <code>{job.error.code}</code> {job.error.message}
          </div>
        )}
        {model && (
          <p class="quiet">
            {cohort.intendedUse}: {model.intendedUse}
          </p>
        )}
        <a href={`/jobs/${job.id}`}>{cohort.toJob}</a>
      </section>
      {job.kind !== 'BATCH' && <p class="note">{cohort.single}</p>}
      {job.kind === 'BATCH' && isUnfinished(job) && <p class="quiet">{cohort.notEnded}</p>}
      {job.kind === 'BATCH' && hasResults && model && <Results job={job} model={model} />}
      {job.kind === 'BATCH' && progress.failed > 0 && <JobFailures job={job} />}
      {job.kind === 'BATCH' && !isUnfinished(job) && progress.processed > 0 && <Downloads job={job} />}
    </>
  );
}

/** Patients per second, and the time that the rest takes. */
function Rate({ progress }: Pick<CohortJob, 'progress'>): VNode | null {
  const { jobs } = useTexts();
  const { number, duration } = useFormats();
  const { processed, total } = progress;
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => setSamples((known) => withSample(known, { at: Date.now(), processed })), [processed]);
  const rate = rateOf(samples, total);
  if (!rate) return null;
  return (
    <p class="quiet">
      {jobs.rate(number(rate.perSecond, rate.perSecond < 10 ? 1 : 0))}, {jobs.left(duration(rate.secondsLeft))}
    </p>
  );
}
