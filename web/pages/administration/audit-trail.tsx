import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { useQueryPage } from '../../api/hooks.js';
import { addressTime } from '../../components/address-time.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import {
  ConsoleAuditEventsDocument,
  type AuditEventFilter,
  type AuditOutcome,
  type ConsoleAuditEventsQuery,
} from '../../generated/graphql.js';
import { usePlace, useQueryValue } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { AuditFilters } from './audit-filters.js';
import { VerifyChain } from './verify-chain.js';

type Event = NonNullable<ConsoleAuditEventsQuery['auditEvents']>['edges'][number]['node'];

/** Rows per page of the list. */
const pageSize = 100;

const tones: Readonly<Record<AuditOutcome, string>> = { ALLOWED: 'good', DENIED: 'danger', FAILED: 'warning' };

/** The filter that the address names. It holds ids and names of users and actions, and nothing of a patient. */
function filterOf(query: URLSearchParams): AuditEventFilter {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const action = text('action');
  const outcome = text('outcome') as AuditOutcome | undefined;
  return {
    username: text('by'),
    actions: action ? [action] : undefined,
    outcomes: outcome ? [outcome] : undefined,
    flagged: query.get('flagged') === 'true' ? true : undefined,
    patientId: text('patient'),
    requestId: text('request'),
    occurredAfter: addressTime(query, 'after'),
    occurredBefore: addressTime(query, 'before'),
  };
}

/** The audit trail of the organization. The filters are in the address. */
export function AuditTrail(): VNode {
  const { audit } = useTexts().administration;
  const formats = useFormats();
  const { query } = usePlace();
  const [openId, open] = useQueryValue('event');
  // The event that is open is no filter.
  const shown = new URLSearchParams(query);
  shown.delete('event');
  const text = shown.toString();
  const filter = useMemo(() => filterOf(query), [text]);
  const list = useQueryPage(ConsoleAuditEventsDocument, { first: pageSize, filter }, ({ auditEvents }) => auditEvents);
  const selected = list.rows.find(({ id }) => id === openId);
  const columns = useMemo(
    (): Column<Event>[] => [
      { key: 'no', header: audit.sequence, class: 'number', cell: (event) => event.sequence, width: '5.5rem' },
      {
        key: 'time',
        header: audit.time,
        cell: ({ occurredAt }) => <time dateTime={occurredAt}>{formats.dateTime(occurredAt)}</time>,
        width: 'minmax(13rem, 1fr)',
      },
      { key: 'user', header: audit.username, cell: ({ username }) => username },
      {
        key: 'action',
        header: audit.action,
        cell: ({ action, count }) => (
          <>
            <code>{action}</code> {count > 1 && audit.times(formats.number(count))}
          </>
        ),
        width: 'minmax(11rem, 1.5fr)',
      },
      {
        key: 'outcome',
        header: audit.outcome,
        cell: ({ outcome, flagged }) => (
          <>
            <span class={`badge ${tones[outcome]}`}>{audit.outcomes[outcome]}</span>{' '}
            {flagged && <span class="badge warning">{audit.flagged}</span>}
          </>
        ),
        width: 'minmax(11rem, 1fr)',
      },
      {
        key: 'patients',
        header: audit.patients,
        class: 'number',
        cell: ({ patientIds }) => patientIds.length || '',
        width: '6rem',
      },
      { key: 'about', header: audit.subject, cell: ({ subject }) => subject && `${subject.kind} ${subject.id}` },
      { key: 'address', header: audit.address, cell: ({ address }) => address },
    ],
    [audit, formats],
  );
  return (
    <>
      <VerifyChain />
      <AuditFilters />
      {selected && <EventFacts event={selected} onClose={() => open('')} />}
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      <VirtualList
        label={audit.list}
        columns={columns}
        rows={list.rows}
        totalCount={list.totalCount}
        keyOf={({ id }) => id}
        reach={list.reach}
        onOpen={({ id }) => open(id)}
        foot={audit.count(formats.number(list.totalCount))}
      />
    </>
  );
}

function EventFacts({ event, onClose }: { readonly event: Event; readonly onClose: () => void }): VNode {
  const { administration, roles } = useTexts();
  const { audit, users } = administration;
  const formats = useFormats();
  return (
    <section class="card spaced" aria-labelledby="open-event">
      <div class="page-head">
        <h2 id="open-event">{audit.event(formats.number(event.sequence))}</h2>
        <button type="button" onClick={onClose}>
          {users.close}
        </button>
      </div>
      <dl class="facts">
        <dt>{audit.time}</dt>
        <dd>{formats.dateTime(event.occurredAt)}</dd>
        <dt>{audit.username}</dt>
        <dd>
          {event.username} {event.role && `(${roles[event.role]})`}
        </dd>
        <dt>{audit.action}</dt>
        <dd>
          <code>{event.action}</code>: {audit.outcomes[event.outcome]}
        </dd>
        <dt>{audit.patients}</dt>
        <dd>
          {event.patientIds.length === 0
            ? '–'
            : event.patientIds.map((id) => (
                <a key={id} href={`/administration/audit?patient=${id}`}>
                  {id}{' '}
                </a>
              ))}
        </dd>
        <dt>{audit.subject}</dt>
        <dd>{event.subject ? `${event.subject.kind} ${event.subject.id}` : '–'}</dd>
        <dt>{audit.address}</dt>
        <dd>{event.address}</dd>
        <dt>{audit.request}</dt>
        <dd>
          <a href={`/administration/audit?request=${encodeURIComponent(event.requestId)}`}>{event.requestId}</a>
        </dd>
        <dt>{audit.hash}</dt>
        <dd>
          <code>{event.hash}</code>
        </dd>
      </dl>
    </section>
  );
}
