import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import { ConsoleJobsDocument, type ShownJobFragment } from '../../generated/graphql.js';
import { navigate, useNow, useTitle } from '../../shell/router.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobState } from '../jobs/job-state.js';
import { SubmitForm } from './submit-form.js';

/** Rows per page of the list. */
const pageSize = 100;

/** The batches of the organization, and the form that submits one. */
export default function CohortList(): VNode {
  const { cohort, jobs } = useTexts();
  const formats = useFormats();
  const may = useMay();
  const now = useNow();
  useTitle(cohort.title);
  const list = useQueryPage(
    ConsoleJobsDocument,
    { first: pageSize, filter: { kind: 'BATCH' } },
    ({ scoringJobs }) => scoringJobs,
  );
  const columns = useMemo(
    (): Column<ShownJobFragment>[] => [
      {
        key: 'model',
        header: jobs.columns.model,
        width: 'minmax(10rem, 1.5fr)',
        cell: ({ id, modelId, modelVersion }) => (
          <a href={`/cohorts/${id}`}>
            {modelId} {modelVersion}
          </a>
        ),
      },
      { key: 'state', header: jobs.columns.state, width: '8rem', cell: ({ state }) => <JobState state={state} /> },
      {
        key: 'progress',
        header: jobs.columns.progress,
        width: 'minmax(12rem, 1fr)',
        cell: ({ progress: { processed, total, failed } }) =>
          jobs.progress(formats.number(processed), formats.number(total)) +
          (failed > 0 ? `, ${jobs.failed(formats.number(failed))}` : ''),
      },
      { key: 'by', header: jobs.columns.submitter, cell: ({ submittedBy }) => submittedBy },
      {
        key: 'submitted',
        header: jobs.columns.submitted,
        cell: ({ submittedAt }) => <time dateTime={submittedAt}>{formats.age(submittedAt, now)}</time>,
      },
    ],
    [jobs, formats, now],
  );
  return (
    <>
      <h1>{cohort.title}</h1>
      {may('job:submit') && <SubmitForm />}
      <section class="card">
        <h2>{cohort.earlier}</h2>
        {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
        <VirtualList
          label={cohort.earlier}
          columns={columns}
          rows={list.rows}
          totalCount={list.totalCount}
          keyOf={({ id }) => id}
          reach={list.reach}
          onOpen={({ id }) => navigate(`/cohorts/${id}`)}
          height="24rem"
          foot={jobs.count(formats.number(list.totalCount))}
        />
      </section>
    </>
  );
}
