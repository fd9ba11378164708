import { setTimeout as delay } from 'node:timers/promises';
import { Types } from 'mongoose';
import { CreatePatientDocument, PatientsDocument } from '../../src/client/generated/graphql.js';
import { ScoringJobState } from '../../models/index.js';
import { newPatient } from '../../test/support/heart-disease.js';
import { runWholeCommand } from '../../test/support/run-command.js';
import { idOfHoursAgo, otherModels, spoiltRelease, type Deployment } from './deployment.js';
import {
  atOnce,
  BreakGlassDocument,
  freeze,
  ofKind,
  patients,
  readOne,
  repeating,
  store,
  stutter,
  submitAll,
  thaw,
} from './means.js';

/** A fault, and the alerts that must follow. */
export interface Provocation {
  readonly alerts: readonly string[];
  /** The fault, as the table names it. */
  readonly fault: string;
  /** Makes the fault. @returns the repair */
  provoke(deployment: Deployment): Promise<() => Promise<unknown>>;
}

/** Records a backup of now that a drill has restored, in place of all others. */
export async function recordBackup({ backups: { collection } }: Deployment['models']): Promise<void> {
  const now = new Date();
  await collection.deleteMany({});
  await collection.insertOne({ _id: 'good', state: 'COMPLETED', begunAt: now, restoredAt: now } as never);
}

export const provocations: readonly Provocation[] = [
  {
    alerts: ['RiskGraphProcessDown', 'RiskGraphTakeovers'],
    fault: 'a worker is killed in the middle of its jobs',
    async provoke(deployment) {
      const [worker, other] = ofKind(deployment, 'worker');
      const ids = await patients(deployment, 200);
      // Both find a full queue: the first one takes many jobs at once.
      for (const one of [worker!, other!]) one.signal('SIGSTOP');
      await submitAll(deployment, ids);
      worker!.signal('SIGCONT');
      const { scoringJobs } = deployment.models;
      while ((await scoringJobs.countDocuments({ 'status.state': ScoringJobState.ACTIVE })) < 10) await delay(5);
      await worker!.kill();
      other!.signal('SIGCONT');
      return async () => {
        await deployment.remove(worker!);
        await deployment.start('worker');
      };
    },
  },
  {
    alerts: ['RiskGraphNoWorker', 'RiskGraphQueueOld'],
    fault: 'all workers are stopped, and jobs are submitted',
    async provoke(deployment) {
      for (const worker of ofKind(deployment, 'worker')) await deployment.remove(worker);
      await submitAll(deployment, await patients(deployment, 5));
      return () => Promise.all([deployment.start('worker'), deployment.start('worker')]);
    },
  },
  {
    alerts: ['RiskGraphRedisDown'],
    fault: 'Redis is full (maxmemory)',
    async provoke({ redis }) {
      await redis.config('SET', 'maxmemory', '1mb');
      return () => redis.config('SET', 'maxmemory', '0');
    },
  },
  {
    alerts: ['RiskGraphMongoDBDown', 'RiskGraphUnavailable', 'RiskGraphCountsOld'],
    fault: 'MongoDB is frozen, and three callers store 30 patients each at a time',
    async provoke({ engines, clients }) {
      freeze(engines.pids().mongodb);
      const ends = clients.slice(0, 3).map((client) => repeating(() => atOnce(30, () => store(client)), 200));
      return async () => {
        thaw(engines.pids().mongodb);
        await Promise.all(ends.map((end) => end()));
      };
    },
  },
  {
    alerts: ['RiskGraphSlow', 'RiskGraphMongoDBPool'],
    fault: 'MongoDB stands still for 3 of 3.5 seconds, under the queries of 20 callers',
    async provoke({ engines, clients }) {
      const ends = [stutter(engines.pids().mongodb!, 3_000, 500)];
      for (const client of clients)
        ends.push(repeating(() => atOnce(6, () => client.request(PatientsDocument, { first: 20 })), 10));
      return () => Promise.all(ends.map((end) => end()));
    },
  },
  {
    alerts: ['RiskGraphAuditWaits'],
    fault:
      'MongoDB stands still for writes of audit events alone, and 20 callers read 30 lists of patients each at a time',
    async provoke(deployment) {
      await patients(deployment, 1);
      const { models, proxy, proxiedClients } = deployment;
      void proxy.hold('insert', models.auditEvents.collection.collectionName);
      const ends = proxiedClients.map((client) => repeating(() => atOnce(30, () => readOne(client)), 200));
      return async () => {
        proxy.release();
        await Promise.all(ends.map((end) => end()));
      };
    },
  },
  {
    alerts: ['RiskGraphAuditUnsealed'],
    fault: 'MongoDB refuses the heads of the audit chains alone (an index that no seal fits), and patients are read',
    async provoke(deployment) {
      await patients(deployment, 1);
      const { auditHeads } = deployment.models;
      const newest = await auditHeads.findOne().sort({ sequence: -1 }).lean();
      // A geographic index refuses every head that it covers: a seal is no place on earth.
      const index = await auditHeads.collection.createIndex(
        { seal: '2dsphere' },
        { partialFilterExpression: { sequence: { $gt: newest?.sequence ?? 0 } } },
      );
      const end = repeating(() => readOne(deployment.client), 200);
      return async () => {
        await auditHeads.collection.dropIndex(index);
        await end();
      };
    },
  },
  {
    alerts: ['RiskGraphRevocationLag'],
    fault: 'MongoDB and Redis are frozen',
    async provoke({ engines }) {
      const { mongodb, redis } = engines.pids();
      freeze(mongodb);
      freeze(redis);
      return async () => {
        thaw(mongodb);
        thaw(redis);
      };
    },
  },
  {
    alerts: ['RiskGraphEventLoopLag'],
    fault: 'a worker stands still for 1.3 of 1.5 seconds',
    async provoke(deployment) {
      return stutter(ofKind(deployment, 'worker')[0]!.pid, 1_300, 200);
    },
  },
  {
    alerts: ['RiskGraphBreakGlassRefused'],
    fault: 'a clinician breaks the glass of more patients than BREAK_GLASS_PER_HOUR allows',
    async provoke({ clients: [first, second] }) {
      // The patients are of the first clinician, and the second one wants to see them.
      const end = repeating(async () => {
        const input = { ...newPatient(), careTeam: ['first'] };
        const { createPatient } = await first!.request(CreatePatientDocument, { input });
        await second!.request(BreakGlassDocument, { patientId: createPatient.id });
      }, 500);
      return end;
    },
  },
  {
    alerts: ['RiskGraphInternalErrors'],
    fault: 'a stored patient is damaged, and is read once',
    async provoke(deployment) {
      const [id] = await patients(deployment, 1);
      const { patients: stored } = deployment.models;
      await stored.collection.updateOne({ _id: new Types.ObjectId(id) }, { $set: { sex: 'DAMAGED' } });
      // One error is enough.
      await readOne(deployment.client).catch(() => undefined);
      return () => stored.collection.deleteOne({ _id: new Types.ObjectId(id) });
    },
  },
  {
    alerts: ['RiskGraphJobsFail'],
    fault: 'the patients of 60 queued jobs are removed from MongoDB',
    async provoke(deployment) {
      for (const worker of ofKind(deployment, 'worker')) worker.signal('SIGSTOP');
      const ids = await patients(deployment, 60);
      await submitAll(deployment, ids);
      const _id = { $in: ids.map((id) => new Types.ObjectId(id)) };
      await deployment.models.patients.collection.deleteMany({ _id });
      for (const worker of ofKind(deployment, 'worker')) worker.signal('SIGCONT');
      return async () => undefined;
    },
  },
  {
    alerts: ['RiskGraphKeyRotationSlow'],
    fault: 'a rotation of keys was requested seven hours ago, for a master key that no worker has',
    async provoke({ models, organizationId }) {
      const _id = idOfHoursAgo(7);
      await models.keyRotations.collection.insertOne({
        _id,
        organization: new Types.ObjectId(organizationId),
        state: 'QUEUED',
        unfinished: true,
        masterKey: 'not-here',
        replaces: new Types.ObjectId(),
        total: 0,
        processed: 0,
        failed: 0,
        requestedAt: _id.getTimestamp(),
      } as never);
      return () => models.keyRotations.collection.deleteOne({ _id });
    },
  },
  {
    alerts: ['RiskGraphWorkerStuck'],
    fault: 'a worker gives signs of life and ends no entry (its signs are written by hand)',
    async provoke({ models }) {
      const _id = 'stuck' as never;
      const end = repeating(
        () =>
          models.workerHeartbeats.collection.updateOne(
            { _id },
            { $set: { beatAt: new Date(), running: 1, stepAt: new Date(Date.now() - 600_000) } },
            { upsert: true },
          ),
        1_000,
      );
      return async () => {
        await end();
        await models.workerHeartbeats.collection.deleteOne({ _id });
      };
    },
  },
  {
    alerts: ['RiskGraphVersionsDiffer', 'RiskGraphAdditivity'],
    fault: 'a worker of another release joins, and its explanations are wrong',
    async provoke(deployment) {
      const worker = await deployment.start('worker', { release: spoiltRelease(deployment.folder) });
      const ids = await patients(deployment, 20);
      const end = repeating(() => submitAll(deployment, ids), 1_000);
      return async () => {
        await end();
        await deployment.remove(worker);
      };
    },
  },
  {
    alerts: ['RiskGraphModelsDiffer'],
    fault: 'an API with another RISK_MODELS_DIRECTORY joins',
    async provoke(deployment) {
      const RISK_MODELS_DIRECTORY = otherModels(deployment.folder);
      const api = await deployment.start('api', { environment: { RISK_MODELS_DIRECTORY } });
      return () => deployment.remove(api);
    },
  },
  {
    alerts: ['RiskGraphFilesShort'],
    fault: 'a worker may open 4,096 files (ulimit -n), and 3,300 are open from the start',
    async provoke(deployment) {
      const worker = await deployment.start('worker', { files: 4_096, openFiles: 3_300 });
      return () => deployment.remove(worker);
    },
  },
  {
    alerts: ['RiskGraphBackupOld', 'RiskGraphBackupFailed', 'RiskGraphBackupNotTried'],
    fault: 'the last complete backup is of 30 hours ago, tried 9 days ago, and the newest failed (records by hand)',
    async provoke({ models }) {
      const ago = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);
      const { collection } = models.backups;
      await collection.updateMany({}, { $set: { begunAt: ago(30), restoredAt: ago(9 * 24) } });
      await collection.insertOne({ _id: 'failed', state: 'FAILED', failure: 'full', begunAt: ago(1) } as never);
      return () => recordBackup(models);
    },
  },
  {
    alerts: ['RiskGraphNoModel'],
    fault: 'the only model is retired (`riskgraph model retire`)',
    async provoke({ environment }) {
      const { code, errors } = await runWholeCommand(['model', 'retire', '--yes', 'heart-disease@1.0.0'], environment);
      if (code !== 0) throw new Error(errors);
      return () => runWholeCommand(['model', 'add', 'risk-models/heart-disease'], environment);
    },
  },
];
