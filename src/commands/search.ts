import { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { searchTokensRepair, type Models, type Organization } from '../../models/index.js';
import { recorded } from '../audit/audit-trail.js';
import { StartupError } from '../errors.js';
import { createPrefixSearch, type PrefixSearch } from '../patients/prefix-search.js';
import { createLogger } from '../process/logger.js';
import { createRepairs } from '../storage/repairs.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { commandConfig } from './environment.js';
import { connectLocalDatabase, type LocalDatabase } from './local-access.js';
import { printLine } from './print.js';

/** Time between two looks at a repair that another process holds. Milliseconds. */
const lookEveryMs = 200;

/**
 * `riskgraph search`: finding patients by the first characters of MRN and family name. `on` and `off` have these steps:
 *
 * 1. Record the switch in the audit trail, and write it.
 * 2. Workers make the search tokens of all patients, or remove them. When the database was started for this command, no
 *    worker can use it, so the command does it.
 */
export function searchCommand(): Command {
  const search = new Command('search').description('finding patients by the first characters of MRN and family name');
  for (const on of [true, false])
    search
      .command(on ? 'on' : 'off')
      .description(
        on
          ? 'switch it on; a copy of the database then tells how many patients share the first characters'
          : 'switch it off, and remove what it stored',
      )
      .requiredOption('--org <slug>', 'the organization')
      .action(({ org }: { org: string }) => withDatabase((database) => switchSearch(database, org, on)));
  search
    .command('status')
    .description('print for each organization whether it is on, and how far its preparation has come')
    .action(() => withDatabase(printStatus));
  return search;
}

async function withDatabase(work: (database: LocalDatabase) => Promise<void>): Promise<void> {
  const database = await connectLocalDatabase(commandConfig({ LOG_LEVEL: 'warn' }));
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

async function switchSearch({ models, exclusive }: LocalDatabase, slug: string, on: boolean): Promise<void> {
  const organization = await models.organizations.findOne({ slug }).lean<Organization>();
  if (!organization)
    throw new StartupError(`There is no organization "${slug}": name one that "riskgraph search status" lists.`);
  const { _id } = organization;
  const config = commandConfig({ LOG_LEVEL: 'warn' });
  await withCommandTrail(config, models, 'search', async ({ audit, protection: { protectionOf } }) => {
    const logger = createLogger(config.logLevel, 'riskgraph-search');
    const repairs = createRepairs({ models, leaseMs: config.jobLeaseMs, logger });
    const prefixSearch = createPrefixSearch({ models, protectionOf, repairs, logger });
    await recorded(audit, commandActor(_id.toHexString()), { action: 'patient-search:switch', flagged: on }, () =>
      prefixSearch.switch(_id, on, exclusive ? 0 : undefined),
    );
    if (exclusive) await finish(prefixSearch);
  });
  const rest = exclusive ? '' : ' Workers carry it out, from two minutes on: see "riskgraph search status".';
  printLine(`Prefix search is ${on ? 'on' : 'off'} for "${slug}".${rest}`);
}

async function finish(prefixSearch: PrefixSearch): Promise<void> {
  while (!(await prefixSearch.work())) await delay(lookEveryMs);
}

async function printStatus({ models }: Pick<LocalDatabase, 'models'>): Promise<void> {
  for (const { _id, slug, prefixSearch } of await models.organizations.find().sort({ slug: 1 }).lean<Organization[]>())
    printLine(`${slug}: ${prefixSearch ? 'on' : 'off'}${await progressOf(models, searchTokensRepair(_id))}`);
}

async function progressOf({ repairs }: Models, name: string): Promise<string> {
  const repair = await repairs.findById(name).lean();
  return repair && !repair.finishedAt ? `, ${repair.processed} of ${repair.total} patients` : '';
}
