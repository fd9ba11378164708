import { Command, Option } from 'commander';
import { Role, type User } from '../../models/index.js';
import { parseCreateUser } from '../identity/users/user-input.js';
import { commandConfig } from './environment.js';
import { createOption } from './local-access.js';
import { readNewPassword } from './password-prompt.js';
import { printLine } from './print.js';
import { startUserAdministration, type ChosenOrganization, type UserAdministration } from './user-administration.js';

interface Named {
  readonly org: string;
  readonly username: string;
}

interface NewUser extends Named, ChosenOrganization {
  readonly role: Role;
}

/**
 * `riskgraph user`: administers the users of an organization, in the database of this installation. The first ADMIN is
 * created with it.
 */
export function userCommand(): Command {
  return new Command('user')
    .description('create, disable, enable and list users, set passwords; uses the database of this installation')
    .addCommand(createCommand())
    .addCommand(
      onUser(
        'disable',
        'refuse a user everywhere within a second, and end all sessions',
        async ({ directory, scope, actor }, user) => {
          await directory.update(scope, actor, user, { disabled: true });
          return 'is disabled';
        },
      ),
    )
    .addCommand(
      onUser('enable', 'let a disabled user log in again', async ({ directory, scope, actor }, user) => {
        await directory.update(scope, actor, user, { disabled: false });
        return 'is enabled';
      }),
    )
    .addCommand(
      onUser(
        'set-password',
        'set a password (typed, or read from standard input) and end all sessions',
        async ({ directory, scope, actor }, user) => {
          await directory.setPassword(scope, actor, user, await readNewPassword(), {
            action: 'user:manage',
            path: 'password',
          });
          return 'has a new password';
        },
      ),
    )
    .addCommand(listCommand());
}

const createCommand = (): Command =>
  new Command('create')
    .description('create a user; the password is typed, or read from standard input')
    .requiredOption('--org <slug>', 'organization')
    .option('--create-org', 'make the organization of --org when it is missing')
    .option(...createOption)
    .requiredOption('--username <name>', 'name for the log-in, stored in lower case')
    .addOption(new Option('--role <role>', 'what the user may do').choices(Object.values(Role)).makeOptionMandatory())
    .action(async ({ username, role, ...given }: NewUser) => {
      const input = { username, role, password: await readNewPassword() };
      // The input is checked first, so that no organization is created without a user.
      await parseCreateUser(input);
      await administer(given, async ({ directory, scope, actor }) => {
        const user = await directory.create(scope, actor, input);
        printLine(`The user ${user.username} (${user.role}) of ${given.org} was created`);
      });
    });

/** Makes a command about one existing user. @param work returns what happened to the user, for the output */
const onUser = (
  name: string,
  description: string,
  work: (administration: UserAdministration, user: User) => Promise<string>,
): Command =>
  new Command(name)
    .description(description)
    .requiredOption('--org <slug>', 'organization')
    .requiredOption('--username <name>', 'the user')
    .action(({ org, username }: Named) =>
      administer({ org }, async (administration) => {
        const user = await administration.user(username);
        printLine(`The user ${user.username} of ${org} ${await work(administration, user)}`);
      }),
    );

const listCommand = (): Command =>
  new Command('list')
    .description('list the users of an organization')
    .requiredOption('--org <slug>', 'organization')
    .action(({ org }: { org: string }) =>
      administer({ org }, async ({ users }) => {
        for (const user of await users()) printLine(lineOf(user));
      }),
    );

const lineOf = ({ username, role, disabled, passwordHash }: User): string =>
  [username.padEnd(24), role.padEnd(10), disabled ? 'disabled' : 'enabled', passwordHash ? '' : ' (no password)']
    .join(' ')
    .trimEnd();

async function administer(
  chosen: ChosenOrganization,
  work: (administration: UserAdministration) => Promise<void>,
): Promise<void> {
  const administration = await startUserAdministration(commandConfig(), chosen);
  try {
    await work(administration);
  } finally {
    await administration.close();
  }
}
