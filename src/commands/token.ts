import { Command, InvalidArgumentError, Option } from 'commander';
import { Role } from '../../models/index.js';
import { longestTokenMs } from '../identity/access-token.js';
import { commandConfig } from './environment.js';
import { createOption, issueLocalToken, connectLocalDatabase } from './local-access.js';
import { organizationOptions, type OrganizationOptions } from './organization-options.js';

interface TokenOptions extends OrganizationOptions {
  readonly role: Role;
  /** Seconds. */
  readonly ttl: number;
  readonly create?: boolean;
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Parses durations such as `90s`, `15m`, `1h` and `7d`. @returns seconds */
function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('Give a number and a unit, e.g. 15m, 1h or 7d.');
  const seconds = Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds];
  if (seconds * 1000 > longestTokenMs) throw new InvalidArgumentError(`Give at most ${longestTokenMs / 86_400_000}d.`);
  return seconds;
}

/** `riskgraph token`: prints a signed access token for local use. The last line contains only the token. */
export function tokenCommand(): Command {
  return organizationOptions(
    new Command('token').description('print a signed access token for local use (last line: the token alone)'),
    'organization',
  )
    .option(...createOption)
    .addOption(new Option('--role <role>', 'what the caller may do').choices(Object.values(Role)).makeOptionMandatory())
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid, e.g. 15m, 1h, 7d')
        .argParser(parseDuration)
        .default(3600, '1h'),
    )
    .action(async ({ role, ttl, create, ...organization }: TokenOptions) => {
      const config = commandConfig();
      const database = await connectLocalDatabase(config, { create });
      try {
        const token = await issueLocalToken(config, database.models, {
          role,
          organization,
          timeToLiveSeconds: ttl,
        });
        process.stdout.write(`${token}\n`);
      } finally {
        await database.close();
      }
    });
}
