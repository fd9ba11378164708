import Table from 'cli-table3';
import { Command } from 'commander';
import type { Types } from 'mongoose';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredDataKey, Models, Organization } from '../../models/index.js';
import { auditKeys, createAuditTrail } from '../audit/audit-writer.js';
import { recorded } from '../audit/audit-trail.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { createLogger } from '../process/logger.js';
import { createKeyRotations } from '../protection/key-rotations.js';
import { dataKeyStatus } from '../protection/key-status.js';
import { startProtection, type StartedProtection } from '../protection/start-protection.js';
import { requestRotations, rotationProgress, type RotationProgress } from '../protection/request-rotations.js';
import { commandActor } from './command-trail.js';
import { commandConfig } from './environment.js';
import { connectLocalDatabase, type LocalDatabase } from './local-access.js';
import { localMasterKeys } from './secret-key.js';
import { startProgressBar, type ProgressBar } from './progress-bar.js';

/** Time between two reads of a rotation's progress, milliseconds. */
const lookEveryMs = 200;
/** Time without a worker after which the operator gets a hint, milliseconds. */
const patienceMs = 5_000;

/**
 * `riskgraph keys`: the keys that encrypt patient data. `keys rotate` has these steps:
 *
 * 1. Request one rotation per organization in the database, each with an audit event.
 * 2. Wait until workers have done the rotations, and show their progress. When the database was started for this
 *    command, no worker can use it, so the command does the rotations itself.
 * 3. Print how many documents were encrypted again, and how many cannot be decrypted.
 */
export function keysCommand(): Command {
  const keys = new Command('keys').description('the keys that encrypt patient data');
  keys
    .command('rotate')
    .description(
      'wrap all data keys under the first key of ENCRYPTION_KEYS, give each organization a new data key, and encrypt ' +
        'its data again; workers do it, this command follows them',
    )
    .option('--org <slug>', 'this organization only')
    .action(({ org }: { org?: string }) =>
      withProtection(async (config, database, protection) => {
        const { total, failed } = await rotateKeys(config, database, protection, org);
        process.stdout.write(
          `${total - failed} documents encrypted again, all data keys wrapped under "${protection.store.masterKeyId}"\n`,
        );
        if (failed === 0) return;
        process.stderr.write(
          `${failed} documents cannot be decrypted and keep their old key: the log of the workers names them\n`,
        );
        process.exitCode = 1;
      }),
    );
  keys
    .command('status')
    .description(
      'print, for each organization, its data keys, the master key of each, and how many documents each encrypts',
    )
    .action(() =>
      withProtection(async (_config, { models }, { store }) => {
        process.stdout.write(`${await statusTable(models)}\nNew data keys are wrapped under "${store.masterKeyId}".\n`);
      }),
    );
  return keys;
}

async function withProtection(
  work: (config: Config, database: LocalDatabase, protection: StartedProtection) => Promise<void>,
): Promise<void> {
  const config = commandConfig({ LOG_LEVEL: 'warn' });
  const database = await connectLocalDatabase(config);
  try {
    const protection = await startProtection({ models: database.models, masterKeys: await localMasterKeys(config) });
    await work(config, database, protection);
  } finally {
    await database.close();
  }
}

/** Requests the rotations and follows them to their end. Does their work itself when no worker can. */
async function rotateKeys(
  config: Config,
  { models, exclusive }: LocalDatabase,
  protection: StartedProtection,
  slug: string | undefined,
): Promise<RotationProgress> {
  const organizations = await models.organizations
    .find(slug === undefined ? {} : { slug }, { _id: 1 })
    .lean<Pick<Organization, '_id'>[]>();
  if (organizations.length === 0 && slug !== undefined)
    throw new StartupError(`There is no organization "${slug}": name one that "riskgraph keys status" lists.`);
  const logger = createLogger(config.logLevel, 'riskgraph-keys');
  const audit = createAuditTrail({ models, keyOf: auditKeys(protection.protectionOf), logger });
  const onRecord = <T>({ _id, organization }: StoredDataKey, work: () => Promise<T>): Promise<T> =>
    recorded(
      audit,
      commandActor(organization.toHexString()),
      { action: 'encryption-key:rotate', subject: { kind: 'ENCRYPTION_KEY', id: _id.toHexString() } },
      work,
    );
  const ids = await requestRotations(
    models,
    protection.store.masterKeyId,
    organizations.map(({ _id }) => _id),
    onRecord,
  ).finally(() => audit.close());
  const rotations = createKeyRotations({ models, protection, leaseMs: config.jobLeaseMs, logger });
  const workOrWait = async (): Promise<void> => {
    if (!exclusive || !(await rotations.work(lookEveryMs))) await delay(lookEveryMs);
  };
  return followRotations(models, ids, workOrWait, protection.store.masterKeyId);
}

async function followRotations(
  models: Models,
  ids: readonly Types.ObjectId[],
  meanwhile: () => Promise<unknown>,
  masterKey: string,
): Promise<RotationProgress> {
  const started = Date.now();
  let told = false;
  let bar: ProgressBar | undefined;
  try {
    for (;;) {
      const progress = await rotationProgress(models, ids);
      if (progress.total > 0) bar ??= startProgressBar('documents', progress.total);
      bar?.update(
        progress.processed,
        `${ids.length - progress.unfinished} of ${ids.length} organizations`,
        progress.total,
      );
      if (progress.unfinished === 0) return progress;
      if (!told && progress.waiting === progress.unfinished && Date.now() > started + patienceMs) {
        told = true;
        process.stderr.write(
          `No worker has begun yet: start a worker whose first master key is "${masterKey}". The request is stored; ` +
            `Ctrl-C only ends the waiting.\n`,
        );
      }
      await meanwhile();
    }
  } finally {
    bar?.stop();
  }
}

async function statusTable(models: Models): Promise<string> {
  const table = new Table({
    head: ['organization', 'data key', 'for', 'state', 'master key', 'created', 'documents'],
    colAligns: ['left', 'left', 'left', 'left', 'left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { organization, id, dataKey, documents } of await dataKeyStatus(models)) {
    table.push([
      organization,
      id,
      dataKey?.purpose ?? 'FIELDS',
      dataKey?.state ?? 'NOT THERE',
      dataKey?.masterKey ?? '',
      dataKey?.createdAt.toISOString().slice(0, 16) ?? '',
      documents ?? '',
    ]);
  }
  return table.toString();
}
