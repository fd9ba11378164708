import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { useMutation, useQueryPage } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import {
  ConsoleApiKeysDocument,
  ConsoleRevokeApiKeyDocument,
  type ShownApiKeyFragment,
} from '../../generated/graphql.js';
import { useNow } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { CreateApiKey, NewSecret } from './create-api-key.js';

/** Rows per page of the list. */
const pageSize = 100;

/** The keys of machines. */
export function ApiKeys(): VNode {
  const { administration } = useTexts();
  const { keys } = administration;
  const formats = useFormats();
  const now = useNow();
  const [secret, setSecret] = useState<string>();
  const revoke = useMutation(ConsoleRevokeApiKeyDocument);
  const list = useQueryPage(ConsoleApiKeysDocument, { first: pageSize }, ({ apiKeys }) => apiKeys);
  const columns = useMemo(
    (): Column<ShownApiKeyFragment>[] => [
      { key: 'name', header: keys.name, cell: ({ name }) => name, width: 'minmax(10rem, 1.5fr)' },
      { key: 'prefix', header: keys.prefix, cell: ({ prefix }) => <code>{prefix}</code>, width: 'minmax(9rem, 1fr)' },
      {
        key: 'scopes',
        header: keys.scopes,
        cell: ({ scopes }) => <span title={scopes.join(', ')}>{scopes.join(', ')}</span>,
        width: 'minmax(12rem, 2fr)',
      },
      { key: 'state', header: keys.state, cell: (key) => <KeyState apiKey={key} now={now} />, width: '8rem' },
      {
        key: 'created',
        header: keys.created,
        cell: ({ createdAt, createdBy }) => `${formats.date(createdAt)} ${keys.createdBy} ${createdBy}`,
        width: 'minmax(11rem, 1fr)',
      },
      {
        key: 'used',
        header: keys.lastUsed,
        cell: ({ lastUsedAt }) => (lastUsedAt ? formats.age(lastUsedAt, now) : administration.never),
      },
      { key: 'until', header: keys.expires, cell: ({ expiresAt }) => (expiresAt ? formats.date(expiresAt) : '–') },
      {
        key: 'revoke',
        header: <span class="visually-hidden">{keys.revoke}</span>,
        width: '8rem',
        cell: ({ id, name, revokedAt }) =>
          !revokedAt && (
            <ConfirmButton
              question={keys.revokeQuestion(name)}
              confirm={keys.revoke}
              onConfirm={() => void revoke.run({ id }).then((done) => done && list.reload())}
            >
              {keys.revoke}
            </ConfirmButton>
          ),
      },
    ],
    [keys, formats, now],
  );
  return (
    <>
      <div class="page-head">
        <span />
        <CreateApiKey
          onDone={(key) => {
            setSecret(key);
            list.reload();
          }}
        />
      </div>
      {secret && <NewSecret secret={secret} onDone={() => setSecret(undefined)} />}
      {revoke.error && <ErrorBox error={revoke.error} />}
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      <VirtualList
        label={keys.list}
        columns={columns}
        rows={list.rows}
        totalCount={list.totalCount}
        keyOf={({ id }) => id}
        reach={list.reach}
        rowHeight={52}
        foot={keys.count(formats.number(list.totalCount))}
      />
    </>
  );
}

function KeyState({ apiKey, now }: { readonly apiKey: ShownApiKeyFragment; readonly now: number }): VNode {
  const { keys } = useTexts().administration;
  if (apiKey.revokedAt) return <span class="badge danger">{keys.revoked}</span>;
  if (apiKey.expiresAt && new Date(apiKey.expiresAt).getTime() <= now)
    return <span class="badge warning">{keys.expired}</span>;
  return <span class="badge good">{keys.valid}</span>;
}
