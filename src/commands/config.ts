import { Command } from 'commander';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Redis } from 'ioredis';
import type { Connection } from 'mongoose';
import { createModels } from '../../models/index.js';
import { shippedModelsDirectory } from '../app.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { refuseOlderData } from '../identity/revocation/refuse-older-data.js';
import { createRevocationEpochs } from '../identity/revocation/revocation-epoch.js';
import { createRevocationStore } from '../identity/revocation/revocation-store.js';
import { loadRiskModels } from '../risk/registry.js';
import { checkMasterKeys } from '../protection/check-master-keys.js';
import { dataVersion, storedDataVersion } from '../storage/data-version.js';
import { connectDatabase, writeProbe } from '../storage/database.js';
import { examineRedis } from '../storage/redis-fitness.js';
import { refuseUnfinishedRestore } from '../storage/unfinished-restore.js';
import { runChecks, type Check } from './checks.js';
import { commandConfig } from './environment.js';
import { settingsChecks } from './settings-checks.js';
import { withRedis } from './with-redis.js';

/** Most difference of the clocks of two machines, milliseconds. Leases and tokens compare times. */
const mostSkewMs = 2_000;
/** Room on a disk below which it is about to be full, bytes. */
const leastDiskBytes = 1024 ** 3;

/** `riskgraph config`: the settings of a deployment. */
export function configCommand(): Command {
  const config = new Command('config').description('the settings of a deployment');
  config
    .command('check')
    .description(
      'check settings and what they name, MongoDB, Redis, models, keys, disks and clocks; exits 1 if one line fails',
    )
    .action(async () => {
      const checked = commandConfig();
      await runChecks([
        { name: 'settings', run: async () => `accepted for ${checked.environment}${waived(checked)}` },
        ...settingsChecks(checked),
        ...databaseChecks(checked),
        { name: 'Redis', run: () => checkRedis(checked) },
        { name: 'risk models', run: () => checkModels(checked) },
        { name: 'disk of temporary files', run: () => checkDisk(tmpdir()) },
        ...(checked.mongoUri ? [] : [{ name: 'disk of DATA_DIRECTORY', run: () => checkDisk(checked.dataDirectory) }]),
      ]);
    });
  return config;
}

const waived = ({ waivedChecks }: Config): string =>
  waivedChecks.length > 0 ? `; waived: ${waivedChecks.join(', ')}` : '';

function databaseChecks(config: Config): Check[] {
  const { mongoUri, mongoTls } = config;
  if (!mongoUri)
    return [{ name: 'MongoDB', run: async () => 'MONGO_URI is not set, so only "up" starts, with its own' }];
  const withDatabase = (look: (database: Connection) => Promise<string>) => async () => {
    const database = await connectDatabase(mongoUri, { tls: mongoTls });
    try {
      return await look(database);
    } finally {
      await database.close();
    }
  };
  return [
    { name: 'MongoDB', run: withDatabase(describeMongo) },
    { name: 'clock of MongoDB', run: withDatabase(compareClocks) },
    { name: 'stored data', run: withDatabase((database) => describeData(database, config)) },
    { name: 'encryption keys', run: withDatabase((database) => checkKeys(database, config)) },
  ];
}

/** Says version, topology and write concern, and writes once. */
async function describeMongo(database: Connection): Promise<string> {
  const admin = database.db!.admin();
  const { version } = (await admin.command({ buildInfo: 1 })) as { version: string };
  const { setName, hosts = [] } = (await admin.command({ hello: 1 })) as { setName?: string; hosts?: string[] };
  await writeProbe(database);
  return setName
    ? `${version}, replica set ${setName} of ${hosts.length}, a write waits for the journal of a majority`
    : `${version}, a server that stands alone, a write waits for its journal`;
}

async function compareClocks(database: Connection): Promise<string> {
  const asked = Date.now();
  const writtenAt = await writeProbe(database);
  const answered = Date.now();
  const skew = Math.round(writtenAt.getTime() - (asked + answered) / 2);
  // The server has read its clock at some time between the two, so that much of the difference says nothing.
  if (Math.abs(skew) - (answered - asked) / 2 > mostSkewMs)
    throw new StartupError(`${skew} ms from the clock here, and ${mostSkewMs} are allowed: set both by NTP`);
  return `${skew} ms from the clock here`;
}

async function describeData(database: Connection, config: Config): Promise<string> {
  await refuseUnfinishedRestore(database);
  // A Redis that is away has a line of its own.
  const refuse = (redis: Redis) =>
    refuseOlderData(createRevocationStore(createModels(database)), createRevocationEpochs(redis, config.redisPrefix));
  await withRedis(config, (redis) => refuse(redis));
  const stored = await storedDataVersion(database);
  if (stored === undefined) return 'none yet';
  if (stored > dataVersion)
    throw new StartupError(`of version ${stored}, and this release knows ${dataVersion}: start a newer release`);
  return stored < dataVersion
    ? `of version ${stored}; the next start migrates it to ${dataVersion}, and older releases refuse it then`
    : `of version ${stored}, which this release knows`;
}

/** Tries the keys as a start does: they must open every data key. */
async function checkKeys(database: Connection, { masterKeys, secretKey }: Config): Promise<string> {
  if (secretKey === undefined)
    throw new StartupError(
      'SECRET_KEY is not set: set it to a random one, e.g. the output of "openssl rand -base64 48"',
    );
  const models = createModels(database);
  await checkMasterKeys(models, masterKeys);
  const dataKeys = await models.dataKeys.countDocuments();
  return dataKeys === 0 ? 'nothing is encrypted yet' : `they open all data keys (${dataKeys})`;
}

async function checkRedis(config: Config): Promise<string> {
  const { redisUrl: url, redisTls: tls, redisPrefix: prefix, waivedChecks } = config;
  if (!url) return 'REDIS_URL is not set, so only "up" starts, with its own';
  const fitness = await examineRedis({ url, tls, prefix });
  if (fitness === 'away') throw new StartupError('it does not answer: check that it runs, and REDIS_URL');
  if (fitness === 'evicting' && !waivedChecks.includes('evicting-redis'))
    throw new StartupError('it drops entries when its memory is full: set maxmemory-policy to noeviction');
  const facts = (await withRedis(config, (redis) => redis.info())) ?? '';
  const fact = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(facts)?.[1];
  const persistence =
    fact('aof_enabled') === '1' ? 'an append-only file' : 'no append-only file: entries that are lost are put back';
  return `${fact('redis_version')}, maxmemory-policy ${fact('maxmemory_policy')}, ${persistence}`;
}

async function checkModels({ riskModelsDirectory }: Config): Promise<string> {
  const models = await loadRiskModels(riskModelsDirectory ?? shippedModelsDirectory());
  try {
    if (models.length === 0) throw new StartupError('there is none: check RISK_MODELS_DIRECTORY');
    return models.map(({ model: { manifest } }) => `${manifest.id}@${manifest.version}`).join(', ');
  } finally {
    await Promise.all(models.map(({ model }) => model.close()));
  }
}

async function checkDisk(directory: string): Promise<string> {
  const disk = await statfs(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!disk) return `${directory} does not exist yet`;
  const free = disk.bavail * disk.bsize;
  const shown = `${(free / leastDiskBytes).toFixed(1)} GiB free at ${directory}`;
  if (free < leastDiskBytes) throw new StartupError(`${shown}: make room`);
  return shown;
}
