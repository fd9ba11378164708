import { Gauge } from 'prom-client';
import { WebhookDeliveryState } from '../../models/index.js';
import type { App } from '../app.js';
import { unfinishedStates } from '../jobs/job-status.js';
import { keepLatest } from '../process/latest.js';
import { describeBackups } from './backup-metrics.js';
import type { Dependencies } from './dependencies.js';
import { liveWorkers } from './heartbeats.js';

/** Age from which the counts of the whole deployment are read again, milliseconds. */
const countAgeMs = 5_000;
/** Longest time of one read, milliseconds. */
const longestReadMs = 10_000;

/** The states of webhooks that are no deliveries: waiting, and given up after days (dead letters). */
const undelivered = [WebhookDeliveryState.PENDING, WebhookDeliveryState.FAILED] as const;
/** Most webhooks that are counted. */
const mostCounted = 100_000;

/** The parts of the app that know the whole deployment. */
export type DeploymentParts = Pick<App, 'metrics' | 'models' | 'queueDepths'>;

/**
 * Adds the metrics of the whole deployment. Each process that is scraped gives the same ones. They are read in the
 * background after a scrape, for the next one, so that no scrape waits for a database. A second call adds nothing.
 */
export function describeDeployment(
  { metrics, models, queueDepths }: DeploymentParts,
  { mongodb, redis, riskModels, workers }: Omit<Dependencies, 'close' | 'mongodbAnswers'>,
): void {
  const registers = [metrics.registry];
  if (metrics.registry.getSingleMetric('riskgraph_open_scoring_jobs')) return;
  describeBackups(metrics.registry, models);
  const databaseCounts = keepLatest(async () => {
    const openJobs = await Promise.all(
      unfinishedStates.map(async (state) => ({
        state,
        count: await models.scoringJobs.countDocuments({ 'status.state': state }).maxTimeMS(longestReadMs),
      })),
    );
    const rotation = await models.keyRotations
      .findOne({ unfinished: true }, { _id: 1 })
      .sort({ _id: 1 })
      .maxTimeMS(longestReadMs)
      .lean();
    const alive = await liveWorkers(models);
    const webhooks = await Promise.all(
      undelivered.map(async (state) => ({
        state,
        count: await models.webhookDeliveries.countDocuments({ state }).limit(mostCounted).maxTimeMS(longestReadMs),
      })),
    );
    return { openJobs, webhooks, rotationSince: rotation?._id.getTimestamp().getTime(), alive };
  }, countAgeMs);
  const depths = keepLatest(queueDepths, countAgeMs);
  const states = keepLatest(async () => {
    const asked = { mongodb, redis, risk_models: riskModels, workers };
    return Promise.all(
      Object.entries(asked).map(async ([dependency, ask]) => ({ dependency, up: (await ask()).state === 'up' })),
    );
  }, countAgeMs);
  // The first scrape finds them.
  for (const { get } of [databaseCounts, depths, states]) get();

  new Gauge({
    name: 'riskgraph_dependency_up',
    help: 'Whether MongoDB and Redis take writes, models are there and a worker is alive, as /health says.',
    labelNames: ['dependency'],
    registers,
    collect() {
      for (const { dependency, up } of states.get() ?? []) this.set({ dependency }, up ? 1 : 0);
    },
  });
  new Gauge({
    name: 'riskgraph_open_scoring_jobs',
    help: 'Unfinished scoring jobs of the whole deployment.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const { state, count } of databaseCounts.get()?.openJobs ?? []) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'riskgraph_webhook_deliveries',
    help: 'Webhooks of the whole deployment that wait, and those that were given up. At most 100,000 are counted.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const { state, count } of databaseCounts.get()?.webhooks ?? []) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'riskgraph_workers_alive',
    help: 'Workers of the whole deployment that have given a sign of life within 20 seconds.',
    registers,
    collect() {
      const counts = databaseCounts.get();
      if (counts) this.set(counts.alive.length);
    },
  });
  new Gauge({
    name: 'riskgraph_worker_step_age_seconds',
    help: 'Longest time since a live worker that has work took or ended an entry of a queue.',
    registers,
    collect() {
      const busy = (databaseCounts.get()?.alive ?? []).filter(({ running }) => running > 0);
      this.set(Math.max(0, ...busy.map(({ stepAgeMs = 0 }) => stepAgeMs)) / 1_000);
    },
  });
  new Gauge({
    name: 'riskgraph_key_rotation_age_seconds',
    help: 'Time since the oldest unfinished rotation of encryption keys was requested. 0 without one.',
    registers,
    collect() {
      const since = databaseCounts.get()?.rotationSince;
      this.set(since === undefined ? 0 : (Date.now() - since) / 1_000);
    },
  });
  new Gauge({
    name: 'riskgraph_queue_entries',
    help: 'Entries that wait in the queues of the whole deployment.',
    labelNames: ['kind', 'priority'],
    registers,
    collect() {
      for (const { kind, priority, entries } of depths.get() ?? []) this.set({ kind, priority }, entries);
    },
  });
  new Gauge({
    name: 'riskgraph_queue_oldest_seconds',
    help: 'Age of the oldest entry that waits in the queues of the whole deployment. 0 without one.',
    labelNames: ['kind', 'priority'],
    registers,
    collect() {
      for (const { kind, priority, oldestSeconds } of depths.get() ?? []) this.set({ kind, priority }, oldestSeconds);
    },
  });
  new Gauge({
    name: 'riskgraph_deployment_counts_age_seconds',
    help: 'Age of the counts of the whole deployment, from MongoDB and from Redis. No scrape waits for them.',
    labelNames: ['source'],
    registers,
    collect() {
      this.set({ source: 'mongodb' }, databaseCounts.ageSeconds());
      this.set({ source: 'redis' }, depths.ageSeconds());
    },
  });
}
