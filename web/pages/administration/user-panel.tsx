import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useMutation, useQuery } from '../../api/hooks.js';
import { ConfirmButton } from '../../components/confirm-button.js';
import { ErrorBox } from '../../components/error-box.js';
import { FormDialog } from '../../components/form-dialog.js';
import {
  ConsoleRevokeSessionsDocument,
  ConsoleSessionsDocument,
  ConsoleSetPasswordDocument,
  ConsoleUpdateUserDocument,
  type Role,
  type ShownUserFragment,
} from '../../generated/graphql.js';
import { useTexts } from '../../texts/texts.js';
import { UserSessions } from './user-sessions.js';

/** Sessions that are shown of a user: the newest ones. */
const mostSessions = 100;

interface UserPanelProps {
  readonly user: ShownUserFragment;
  readonly onClose: () => void;
  /** Called with words about what has been done. */
  readonly onDone: (message: string) => void;
}

/** What an administrator can do with one user. */
export function UserPanel({ user, onClose, onDone: tell }: UserPanelProps): VNode {
  const { administration, roles } = useTexts();
  const { users } = administration;
  const { id, username } = user;
  const [role, setRole] = useState(user.role);
  const update = useMutation(ConsoleUpdateUserDocument);
  const password = useMutation(ConsoleSetPasswordDocument);
  const revoke = useMutation(ConsoleRevokeSessionsDocument);
  const sessions = useQuery(ConsoleSessionsDocument, { userId: id, first: mostSessions });
  /** Tells what was done, and reads the sessions again: most changes of a user end them. */
  function onDone(message: string): void {
    tell(message);
    sessions.reload();
  }
  const problem = update.error ?? revoke.error;
  async function change(input: { readonly role?: Role; readonly disabled?: boolean }): Promise<void> {
    if (await update.run({ input: { id, ...input } })) onDone(users.saved(username));
  }
  return (
    <section class="card spaced" aria-labelledby="selected-user">
      <div class="page-head">
        <h2 id="selected-user">{users.selected(username)}</h2>
        <button type="button" onClick={onClose}>
          {users.close}
        </button>
      </div>
      <div class="filters">
        <label>
          {users.role}
          <select value={role} onChange={({ currentTarget }) => setRole(currentTarget.value as Role)}>
            {(Object.keys(roles) as Role[]).map((name) => (
              <option key={name} value={name}>
                {roles[name]}
              </option>
            ))}
          </select>
        </label>
        <ConfirmButton
          question={users.roleQuestion(username, roles[role])}
          confirm={users.changeRole}
          disabled={role === user.role || update.isRunning}
          onConfirm={() => void change({ role })}
        >
          {users.changeRole}
        </ConfirmButton>
      </div>
      <div class="actions">
        {user.disabled ? (
          <button type="button" disabled={update.isRunning} onClick={() => void change({ disabled: false })}>
            {users.enable}
          </button>
        ) : (
          <ConfirmButton
            question={users.disableQuestion(username)}
            confirm={users.disable}
            disabled={update.isRunning}
            onConfirm={() => void change({ disabled: true })}
          >
            {users.disable}
          </ConfirmButton>
        )}
        <ConfirmButton
          question={users.revokeQuestion(username)}
          confirm={users.revoke}
          disabled={revoke.isRunning}
          onConfirm={() => void revoke.run({ userId: id }).then((done) => done && onDone(users.revoked(username)))}
        >
          {users.revoke}
        </ConfirmButton>
        <FormDialog
          button={users.setPassword}
          title={`${users.setPassword}: ${username}`}
          submit={users.setPasswordSubmit}
          error={password.error}
          isRunning={password.isRunning}
          onSubmit={async (fields) => {
            const done = await password.run({ input: { id, newPassword: String(fields.get('password')) } });
            if (done) onDone(users.passwordSet(username));
            return done !== undefined;
          }}
        >
          <label>
            {users.newPassword}
            <input name="password" type="password" required autocomplete="new-password" />
            <small>{users.passwordHelp}</small>
          </label>
        </FormDialog>
      </div>
      {problem && <ErrorBox error={problem} />}
      <UserSessions
        sessions={sessions.data?.sessions}
        error={sessions.error}
        reload={sessions.reload}
        onEnded={() => onDone(administration.sessions.ended(username))}
      />
    </section>
  );
}
