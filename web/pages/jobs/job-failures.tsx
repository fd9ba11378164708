import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { useMedia } from '../../components/media.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import { ConsoleJobFailuresDocument, type ConsoleJobFailuresQuery } from '../../generated/graphql.js';
import { useMay } from '../../shell/viewer.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { nameOf } from '../patient/identity.js';

type Failures = NonNullable<NonNullable<ConsoleJobFailuresQuery['scoringJob']>['failureConnection']>;
type Failure = Failures['edges'][number]['node'];

/** Rows per page of the list. */
const pageSize = 200;
/** Height of a line, CSS pixels, and letters that have room in one line of the narrowest column of reasons. */
const lineHeight = 22.4;
const lettersPerLine = { card: 24, row: 36 } as const;

/** The patients of a batch that have no prediction, and why. */
export function JobFailures({ job }: { readonly job: { readonly id: string } }): VNode {
  const {
    jobs: { failures },
    patient: { mrn },
  } = useTexts();
  const { number } = useFormats();
  const may = useMay();
  const isKnown = may('patient:read') && may('patient:read-identity');
  const isNarrow = useMedia('(max-width: 44rem)');
  const list = useQueryPage(
    ConsoleJobFailuresDocument,
    { id: job.id, identity: isKnown, first: pageSize },
    ({ scoringJob }) => scoringJob?.failureConnection,
  );
  const columns = useMemo(
    (): Column<Failure>[] => [
      {
        key: 'patient',
        header: failures.patient,
        width: '16rem',
        cell: ({ patientId, patient }) => {
          const name = (patient && nameOf(patient)) ?? patientId;
          return may('patient:read') ? <a href={`/patients/${patientId}`}>{name}</a> : <code>{name}</code>;
        },
      },
      ...(isKnown
        ? [
            {
              key: 'mrn',
              header: mrn,
              width: '12rem',
              class: 'wide',
              cell: ({ patient }: Failure) => patient?.mrn ?? '–',
            },
          ]
        : []),
      {
        key: 'reason',
        header: failures.reason,
        width: 'minmax(20rem, 3fr)',
        class: 'wide lines',
        cell: ({ message }) => message,
      },
      { key: 'code', header: failures.code, width: '12rem', class: 'wide', cell: ({ code }) => <code>{code}</code> },
    ],
    [failures, mrn],
  );
  const longest = useMemo(
    () => list.rows.reduce((most, { message }) => Math.max(most, message.length), 1),
    [list.rows],
  );
  const lines = Math.ceil(longest / lettersPerLine[isNarrow ? 'card' : 'row']);
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
        rowHeight={isNarrow ? 16 + lineHeight * (columns.length - 1 + lines) : 16 + lineHeight * lines}
        isCards={isNarrow}
        height="24rem"
        foot={failures.count(number(list.totalCount))}
      />
    </section>
  );
}
