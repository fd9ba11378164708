import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useMutation, useQueryPage } from '../../api/hooks.js';
import { ErrorBox } from '../../components/error-box.js';
import { FormDialog } from '../../components/form-dialog.js';
import { VirtualList, type Column } from '../../components/virtual-list.js';
import {
  ConsoleCreateUserDocument,
  ConsoleUsersDocument,
  type Role,
  type ShownUserFragment,
} from '../../generated/graphql.js';
import { useQueryValue } from '../../shell/router.js';
import { useFormats, useTexts } from '../../texts/texts.js';
import { UserPanel } from './user-panel.js';

/** Rows per page of the list. */
const pageSize = 100;

/** The users of the organization. The address names the one that is being changed. */
export function Users(): VNode {
  const { administration, roles } = useTexts();
  const { users } = administration;
  const formats = useFormats();
  const [selectedId, select] = useQueryValue('user');
  const [told, tell] = useState('');
  const list = useQueryPage(ConsoleUsersDocument, { first: pageSize }, (data) => data.users);
  const selected = list.rows.find(({ id }) => id === selectedId);
  // A reload comes back to a user further down.
  const isSought = selectedId !== '' && !selected && list.hasMore && !list.error;
  useEffect(() => {
    if (isSought) list.reach(list.rows.length);
  }, [isSought, list.rows.length]);
  const columns = useMemo(
    (): Column<ShownUserFragment>[] => [
      { key: 'username', header: users.username, cell: ({ username }) => username, width: 'minmax(10rem, 2fr)' },
      { key: 'role', header: users.role, cell: ({ role }) => roles[role] },
      { key: 'state', header: users.state, cell: (user) => <UserState user={user} /> },
      { key: 'by', header: users.signIn, cell: ({ hasPassword }) => (hasPassword ? users.password : users.provider) },
      { key: 'created', header: users.created, cell: ({ createdAt }) => formats.date(createdAt) },
      {
        key: 'changed',
        header: users.passwordChanged,
        cell: ({ passwordChangedAt }) => (passwordChangedAt ? formats.date(passwordChangedAt) : administration.never),
      },
    ],
    [users, roles, formats],
  );
  return (
    <>
      <div class="page-head">
        <p role="status">{told}</p>
        <CreateUser
          onDone={(username) => {
            tell(users.wasCreated(username));
            list.reload();
          }}
        />
      </div>
      {selected && (
        <UserPanel
          key={selected.id}
          user={selected}
          onClose={() => select('')}
          onDone={(message) => {
            tell(message);
            list.reload();
          }}
        />
      )}
      {list.error && <ErrorBox error={list.error} onRetry={list.reload} />}
      <VirtualList
        label={users.list}
        columns={columns}
        rows={list.rows}
        totalCount={list.totalCount}
        keyOf={({ id }) => id}
        reach={list.reach}
        onOpen={({ id }) => select(id)}
        foot={users.count(formats.number(list.totalCount))}
      />
    </>
  );
}

function UserState({ user }: { readonly user: ShownUserFragment }): VNode {
  const { users } = useTexts().administration;
  return user.disabled ? (
    <span class="badge danger">{users.disabled}</span>
  ) : (
    <span class="badge good">{users.enabled}</span>
  );
}

function CreateUser({ onDone }: { readonly onDone: (username: string) => void }): VNode {
  const { administration, roles } = useTexts();
  const { users } = administration;
  const create = useMutation(ConsoleCreateUserDocument);
  return (
    <FormDialog
      button={users.create}
      title={users.createTitle}
      submit={users.createSubmit}
      error={create.error}
      isRunning={create.isRunning}
      isPrimary
      onSubmit={async (fields) => {
        const text = (name: string): string => String(fields.get(name) ?? '');
        const input = { username: text('username'), role: text('role') as Role, password: text('password') };
        const done = await create.run({ input });
        if (done) onDone(done.createUser.username);
        return done !== undefined;
      }}
    >
      <label>
        {users.username}
        <input name="username" required autocapitalize="none" spellcheck={false} autocomplete="off" />
        <small>{users.usernameHelp}</small>
      </label>
      <label>
        {users.role}
        <select name="role">
          {(Object.keys(roles) as Role[]).map((role) => (
            <option key={role} value={role}>
              {roles[role]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {users.firstPassword}
        <input name="password" type="password" required autocomplete="new-password" />
        <small>{users.passwordHelp}</small>
      </label>
    </FormDialog>
  );
}
