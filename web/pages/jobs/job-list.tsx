import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import {
  ConsoleJobsDocument,
  type ScoringJobFilter,
  type ScoringJobKind,
  type ScoringJobState,
  type ShownJobFragment,
} from '../../generated/graphql.js';
import { navigate, useNow, usePlace, useTitle } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { JobFilters } from './job-filters.js';
import { JobState } from './job-state.js';
import { useChangedJobs } from './use-changed-jobs.js';

/** Rows per page of the list. */
const pageSize = 100;

/** The filter that the address names. A value that is none counts as absent. */
function filterOf(query: URLSearchParams): ScoringJobFilter {
  const states = query.getAll('state') as ScoringJobState[];
  const time = (name: string): string | undefined => {
    const date = new Date(query.get(name) ?? '');
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  };
  return {
    states: states.length > 0 ? states : undefined,
    kind: (query.get('kind') as ScoringJobKind | null) ?? undefined,
    submittedBy: query.get('by') ?? undefined,
    submittedAfter: time('after'),
    submittedBefore: time('before'),
  };
}

/** All jobs of the organization, live. The filters are in the address. */
export default function JobList(): VNode {
  const { jobs } = useTexts();
  const formats = useFormats();
  const { query } = usePlace();
  const now = useNow();
  useTitle(jobs.title);
  const text = query.toString();
  const filter = useMemo(() => filterOf(query), [text]);
  const list = useQueryPage(ConsoleJobsDocument, { first: pageSize, filter }, ({ scoringJobs }) => scoringJobs);
  const changed = useChangedJobs(filter, list);
  const columns = useMemo(
    (): Column<ShownJobFragment>[] => [
      { key: 'state', header: jobs.columns.state, cell: ({ state }) => <JobState state={state} />, width: '8rem' },
      { key: 'kind', header: jobs.columns.kind, cell: ({ kind }) => jobs.kinds[kind], width: '7rem' },
      {
        key: 'model',
        header: jobs.columns.model,
        cell: ({ modelId, modelVersion }) => `${modelId} ${modelVersion}`,
        width: 'minmax(10rem, 1.5fr)',
      },
      {
        key: 'progress',
        header: jobs.columns.progress,
        class: 'number',
        width: 'minmax(9rem, 1fr)',
        cell: ({ progress }) =>
          `${formats.number(progress.processed)} / ${formats.number(progress.total)}` +
          (progress.failed > 0 ? ` (${jobs.failed(formats.number(progress.failed))})` : ''),
      },
      { key: 'by', header: jobs.columns.submitter, cell: ({ submittedBy }) => submittedBy },
      {
        key: 'submitted',
        header: jobs.columns.submitted,
        cell: ({ submittedAt }) => <time dateTime={submittedAt}>{formats.age(submittedAt, now)}</time>,
      },
      {
        key: 'attempts',
        header: jobs.columns.attempts,
        class: 'number',
        width: '6rem',
        cell: ({ attempts }) => formats.number(attempts),
      },
    ],
    [jobs, formats, now],
  );
  return (
    <>
      <div class="page-head">
        <h1>{jobs.title}</h1>
        {changed.hasNewer && (
          <button type="button" onClick={changed.showNewer}>
            {jobs.newer}
          </button>
        )}
      </div>
      <JobFilters />
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      {!list.error && changed.error && <ErrorBox error={changed.error} />}
      <VirtualList
        label={jobs.list}
        columns={columns}
        rows={changed.rows}
        totalCount={list.totalCount}
        keyOf={({ id }) => id}
        reach={list.reach}
        onOpen={({ id }) => navigate(`/jobs/${id}`)}
        foot={jobs.count(formats.number(list.totalCount))}
      />
    </>
  );
}
