/*
 * From the end of a job to its deliveries:
 *
 * 1. The write that ends a job sets `webhookDue` in it, if its organization has an endpoint (src/jobs/job-store.ts).
 * 2. A worker finds the job, stores one delivery per endpoint and end, and removes `webhookDue`. A unique index makes a
 *    repetition harmless.
 * 3. A process that did not know of a new endpoint yet may have left out step 1. So half a minute after an endpoint was
 *    enabled, the jobs that ended since are marked.
 */
import { Types } from 'mongoose';
import {
  WebhookDeliveryState,
  type JobStatus,
  type Models,
  type ScoringJob,
  type WebhookDelivery,
  type WebhookEndpoint,
} from '../../models/index.js';
import { isTerminal } from '../jobs/job-status.js';
import { insertGroup } from '../storage/group-queries.js';
import { isDuplicateKey } from '../storage/database.js';

/** Jobs per round. */
const jobsPerRound = 500;
/** Time after which every process knows of a new endpoint: much longer than its list may be old. Milliseconds. */
export const knownEverywhereMs = 30_000;

type Outbox = Pick<Models, 'scoringJobs' | 'webhookEndpoints' | 'webhookDeliveries'>;
type EndedJob = Pick<ScoringJob, '_id' | 'organization' | 'kind' | 'status' | 'transitions'>;

/** Stores the deliveries of all jobs that have ended. @returns the number of jobs */
export async function emptyOutbox(models: Outbox): Promise<number> {
  await markUnannounced(models);
  let total = 0;
  for (;;) {
    const jobs = await models.scoringJobs
      .find({ webhookDue: { $exists: true } }, { organization: 1, kind: 1, status: 1, transitions: 1 })
      .sort({ webhookDue: 1 })
      .limit(jobsPerRound)
      .lean<EndedJob[]>();
    if (jobs.length === 0) return total;
    const endpoints = await models.webhookEndpoints
      .find({ organization: { $in: jobs.map(({ organization }) => organization) }, disabledAt: { $exists: false } })
      .lean<WebhookEndpoint[]>();
    const deliveries = jobs.flatMap((job) => endpoints.flatMap((endpoint) => deliveriesOf(job, endpoint)));
    if (deliveries.length > 0) {
      const results = await insertGroup(models.webhookDeliveries, deliveries);
      const refusal = results.flatMap((result) =>
        'error' in result && !isDuplicateKey(result.error) ? [result.error] : [],
      )[0];
      if (refusal) throw refusal;
    }
    // A job that has changed since stays marked, and is read again.
    await models.scoringJobs.collection.bulkWrite(
      jobs.map(({ _id, status }) => ({
        updateOne: { filter: { _id, 'status.sequence': status.sequence }, update: { $unset: { webhookDue: '' } } },
      })),
      { ordered: false },
    );
    total += jobs.length;
  }
}

/** Marks jobs that ended after an endpoint was enabled, in a process that did not know of it. Once per endpoint. */
async function markUnannounced({ scoringJobs, webhookEndpoints }: Outbox): Promise<void> {
  const young = await webhookEndpoints.find({ catchUpAt: { $lte: new Date() } }).lean<WebhookEndpoint[]>();
  for (const { _id, organization, activeSince, catchUpAt } of young) {
    await scoringJobs.collection.updateMany(
      { organization, 'status.finishedAt': { $gte: activeSince }, webhookDue: { $exists: false } },
      [{ $set: { webhookDue: '$status.finishedAt' } }],
    );
    await webhookEndpoints.updateOne({ _id, catchUpAt }, { $unset: { catchUpAt: '' } });
  }
}

function deliveriesOf({ _id, kind, status, transitions }: EndedJob, endpoint: WebhookEndpoint): WebhookDelivery[] {
  const ends = new Map<number, JobStatus>(
    [...transitions, status].filter(({ state }) => isTerminal(state)).map((end) => [end.sequence, end]),
  );
  return [...ends.values()]
    .filter(({ state, finishedAt }) => endpoint.states.includes(state) && finishedAt! >= endpoint.activeSince)
    .map(({ state, sequence, finishedAt }) => ({
      _id: new Types.ObjectId(),
      organization: endpoint.organization,
      endpoint: endpoint._id,
      job: _id,
      jobKind: kind,
      jobState: state,
      sequence,
      occurredAt: finishedAt!,
      state: WebhookDeliveryState.PENDING,
      attempts: 0,
      nextAttemptAt: new Date(),
    }));
}
