import type { CombinedError } from '@urql/core';
import type { VNode } from 'preact';
import { useMutation } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import { ConsoleRevokeSessionDocument, type ConsoleSessionsQuery } from '../../generated/graphql.js';
import { useNow } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';

interface UserSessionsProps {
  /** The newest live sessions of the user, as far as they are read. */
  readonly sessions: ConsoleSessionsQuery['sessions'] | undefined;
  readonly error: CombinedError | undefined;
  readonly reload: () => void;
  /** Called after a session has ended. */
  readonly onEnded: () => void;
}

/** The live sessions of one user, and an end for each. */
export function UserSessions({ sessions, error, reload, onEnded }: UserSessionsProps): VNode {
  const texts = useTexts().administration.sessions;
  const formats = useFormats();
  const now = useNow();
  const revoke = useMutation(ConsoleRevokeSessionDocument);
  const rows = sessions?.edges ?? [];
  return (
    <div>
      <h3>{texts.title}</h3>
      {error && <ErrorBox error={error} onRetry={reload} />}
      {revoke.error && <ErrorBox error={revoke.error} />}
      {sessions && rows.length === 0 && <p>{texts.none}</p>}
      {rows.length > 0 && (
        <div class="scroll">
          <table>
            <caption>{texts.count(formats.number(rows.length), formats.number(sessions!.totalCount))}</caption>
            <thead>
              <tr>
                <th scope="col">{texts.begun}</th>
                <th scope="col">{texts.address}</th>
                <th scope="col">{texts.lastUsed}</th>
                <th scope="col">{texts.expires}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {rows.map(({ node }) => (
                <tr key={node.id}>
                  <td>
                    <time dateTime={node.createdAt}>{formats.dateTime(node.createdAt)}</time>{' '}
                    {node.isCurrent && <span class="badge good">{texts.current}</span>}
                  </td>
                  <td>{node.address ?? texts.unknown}</td>
                  <td>
                    <time dateTime={node.lastUsedAt} title={formats.dateTime(node.lastUsedAt)}>
                      {formats.age(node.lastUsedAt, now)}
                    </time>
                  </td>
                  <td>
                    <time dateTime={node.expiresAt}>{formats.dateTime(node.expiresAt)}</time>
                  </td>
                  <td>
                    <ConfirmButton
                      question={texts.endQuestion(formats.dateTime(node.createdAt))}
                      confirm={texts.end}
                      disabled={revoke.isRunning}
                      onConfirm={() => void revoke.run({ id: node.id }).then((done) => done && onEnded())}
                    >
                      {texts.end}
                    </ConfirmButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
