import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import { ConsoleJobFailuresDocument, type ConsoleJobFailuresQuery } from '../../generated/graphql.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';

type Failures = NonNullable<NonNullable<ConsoleJobFailuresQuery['scoringJob']>['failureConnection']>;
type Failure = Failures['edges'][number]['node'];

/** Rows per page of the list. */
const pageSize = 200;

/** The patients of a batch that have no prediction, and why. */
export function JobFailures({ job }: { readonly job: { readonly id: string } }): VNode {
  const { failures } = useTexts().jobs;
  const { number } = useFormats();
  const may = useMay();
  const list = useQueryPage(
    ConsoleJobFailuresDocument,
    { id: job.id, first: pageSize },
    ({ scoringJob }) => scoringJob?.failureConnection,
  );
  const columns = useMemo(
    (): Column<Failure>[] => [
      {
        key: 'patient',
        header: failures.patient,
        width: '16rem',
        cell: ({ patientId }) =>
          may('patient:read') ? <a href={`/patients/${patientId}`}>{patientId}</a> : <code>{patientId}</code>,
      },
      { key: 'code', header: failures.code, width: '12rem', cell: ({ code }) => <code>{code}</code> },
      { key: 'reason', header: failures.reason, width: 'minmax(20rem, 3fr)', cell: ({ message }) => message },
    ],
    [failures],
  );
  return (
    <section class="card">
      <h2>{failures.title}</h2>
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      <VirtualList
        label={failures.title}
        columns={columns}
        rows={list.rows}
        totalCount={list.totalCount}
        keyOf={({ patientId }) => patientId}
        reach={list.reach}
        height="24rem"
        foot={failures.count(number(list.totalCount))}
      />
    </section>
  );
}
