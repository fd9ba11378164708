import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useMutation, useQuery, useSubscription } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import {
  ConsoleCancelJobDocument,
  ConsoleJobDocument,
  ConsoleJobUpdatedDocument,
  ConsoleRetryJobDocument,
  type ConsoleJobQuery,
} from '../../generated/graphql.js';
import type { PageProps } from '../page-props.js';
import { useTitle } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobFailures } from './job-failures.js';
import { isUnfinished, JobProgress, JobState } from './job-state.js';
import { JobTransitions } from './job-transitions.js';

type Job = NonNullable<ConsoleJobQuery['scoringJob']>;

/** One job, live: its progress, its changes, and why it failed. */
export default function JobPage({ params }: PageProps): VNode {
  const id = params['id']!;
  const { jobs, shell } = useTexts();
  const { data, error, isLoading, reload } = useQuery(ConsoleJobDocument, { id });
  useTitle(jobs.job(id));
  if (data?.scoringJob) return <JobDetail key={id} job={data.scoringJob} />;
  if (isLoading)
    return (
      <>
        <h1>{jobs.job(id)}</h1>
        <p class="quiet">{shell.loading}</p>
      </>
    );
  return (
    <>
      <h1>{jobs.notFound}</h1>
      {error ? <ErrorBox error={error} onRetry={reload} /> : <p>{jobs.notFoundHelp}</p>}
    </>
  );
}

function JobDetail({ job }: { readonly job: Job }): VNode {
  const { jobs } = useTexts();
  const may = useMay();
  // The events end with the job. A retry begins them again.
  const [round, setRound] = useState(0);
  const cancel = useMutation(ConsoleCancelJobDocument);
  const retry = useMutation(ConsoleRetryJobDocument);
  const canRetry = job.state === 'FAILED' || job.state === 'CANCELLED';
  const problem = cancel.error ?? retry.error;
  return (
    <>
      <div class="page-head">
        <h1>{jobs.job(job.id)}</h1>
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
          {may('job:control') && canRetry && (
            <button
              type="button"
              class="primary"
              disabled={retry.isRunning}
              onClick={() => void retry.run({ id: job.id }).then((done) => done && setRound((count) => count + 1))}
            >
              {jobs.retry}
            </button>
          )}
        </div>
      </div>
      <FollowedJob key={round} id={job.id} />
      {problem && <ErrorBox error={problem} />}
      <div class="columns">
        <JobFacts job={job} />
        <section class="card">
          <h2>{jobs.progressTitle}</h2>
          <JobProgress job={job} />
          {job.error && (
            <div class="note">
              <strong>
                {jobs.error}: <code>{job.error.code}</code>
              </strong>
              <p>{job.error.message}</p>
            </div>
          )}
        </section>
      </div>
      <JobTransitions transitions={job.transitions} />
      {job.kind === 'BATCH' && job.progress.failed > 0 && may('prediction:read') && <JobFailures job={job} />}
    </>
  );
}

/** Follows a job to its end. The cache takes up each change, so the page shows it. */
function FollowedJob({ id }: { readonly id: string }): VNode | null {
  const { error } = useSubscription(ConsoleJobUpdatedDocument, { id });
  return error ? <ErrorBox error={error} /> : null;
}

function JobFacts({ job }: { readonly job: Job }): VNode {
  const { jobs } = useTexts();
  const formats = useFormats();
  const { facts } = jobs;
  const time = (iso: string | null | undefined) => (iso ? <time dateTime={iso}>{formats.dateTime(iso)}</time> : '–');
  return (
    <section class="card">
      <h2>{facts.title}</h2>
      <dl class="facts">
        <dt>{facts.state}</dt>
        <dd>
          <JobState state={job.state} />
        </dd>
        <dt>{facts.kind}</dt>
        <dd>{jobs.kinds[job.kind]}</dd>
        <dt>{facts.model}</dt>
        <dd>
          {job.modelId} {job.modelVersion}
        </dd>
        {job.patient && (
          <>
            <dt>{facts.patient}</dt>
            <dd>
              <a href={`/patients/${job.patient.id}`}>{facts.openPatient}</a>
            </dd>
          </>
        )}
        <dt>{facts.submitter}</dt>
        <dd>{job.submittedBy}</dd>
        <dt>{facts.submitted}</dt>
        <dd>{time(job.submittedAt)}</dd>
        <dt>{facts.started}</dt>
        <dd>{time(job.startedAt)}</dd>
        <dt>{facts.finished}</dt>
        <dd>{time(job.finishedAt)}</dd>
        <dt>{facts.attempts}</dt>
        <dd>{formats.number(job.attempts)}</dd>
        <dt>{facts.priority}</dt>
        <dd>{facts.priorityHelp(formats.number(job.priority))}</dd>
        <dt>{facts.changes}</dt>
        <dd>{formats.number(job.sequence)}</dd>
      </dl>
    </section>
  );
}
