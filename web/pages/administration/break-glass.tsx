import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import { ConsoleBreakGlassAccessesDocument, type ConsoleBreakGlassAccessesQuery } from '../../generated/graphql.js';
import { useNow } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';

type Access = NonNullable<ConsoleBreakGlassAccessesQuery['breakGlassAccesses']>['edges'][number]['node'];

/** Rows per page of the list. */
const pageSize = 100;

/** The break-glass accesses of the organization, for those who review them. */
export function BreakGlassAccesses(): VNode {
  const { breakGlass } = useTexts().administration;
  const formats = useFormats();
  const now = useNow();
  const list = useQueryPage(
    ConsoleBreakGlassAccessesDocument,
    { first: pageSize },
    ({ breakGlassAccesses }) => breakGlassAccesses,
  );
  const columns = useMemo(
    (): Column<Access>[] => [
      {
        key: 'granted',
        header: breakGlass.granted,
        cell: ({ grantedAt }) => <time dateTime={grantedAt}>{formats.dateTime(grantedAt)}</time>,
        width: 'minmax(11rem, 1fr)',
      },
      { key: 'user', header: breakGlass.username, cell: ({ username }) => username },
      {
        key: 'reason',
        header: breakGlass.reason,
        cell: ({ reason }) => <span title={reason}>{reason}</span>,
        width: 'minmax(16rem, 3fr)',
      },
      {
        key: 'patient',
        header: breakGlass.patient,
        cell: ({ patientId }) => <code>{patientId}</code>,
        width: 'minmax(15rem, 1fr)',
      },
      {
        key: 'until',
        header: breakGlass.expires,
        cell: ({ expiresAt }) =>
          new Date(expiresAt).getTime() > now ? (
            <span class="badge warning">
              {breakGlass.running}, {formats.age(expiresAt, now)}
            </span>
          ) : (
            formats.dateTime(expiresAt)
          ),
        width: 'minmax(11rem, 1fr)',
      },
      {
        key: 'events',
        header: breakGlass.events,
        cell: ({ patientId, username }) => (
          <a href={`/administration/audit?by=${encodeURIComponent(username)}&patient=${patientId}`}>
            {breakGlass.events}
          </a>
        ),
      },
    ],
    [breakGlass, formats, now],
  );
  return (
    <>
      <p>{breakGlass.help}</p>
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      <VirtualList
        label={breakGlass.list}
        columns={columns}
        rows={list.rows}
        totalCount={list.totalCount}
        keyOf={({ id }) => id}
        reach={list.reach}
        foot={breakGlass.count(formats.number(list.totalCount))}
      />
    </>
  );
}
