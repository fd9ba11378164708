/** Covers src/audit/audit-writer.ts, src/audit/insertions.ts, src/storage/joint-writes.ts. */

import mongoose, { Types } from 'mongoose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ScoringJobKind, type ScoringJob } from '../../models/index.js';
import type { AuditActor } from '../../src/audit/audit-trail.js';
import { auditKeys, createAuditTrail } from '../../src/audit/audit-writer.js';
import { verifyChains } from '../../src/audit/verify-chains.js';
import { submitted } from '../../src/jobs/job-status.js';
import { duplicateKeyCode } from '../../src/storage/database.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models, logger, protectionOf } = system.app;
const keyOf = auditKeys(protectionOf);
const entry = { action: 'job:submit', outcome: 'ALLOWED' } as const;
const client = models.scoringJobs.db.getClient();

/** A MongoDB knows writes to several collections since version 8. */
const versions = ['8', '7'] as const;

/** An audit trail of its own for an organization of its own. */
async function start(version: (typeof versions)[number], key = keyOf) {
  const slug = `${version}-${new Types.ObjectId().toHexString()}`;
  const organizationId = await system.organizationId(slug);
  const trail = createAuditTrail({ models, keyOf: key, logger });
  onTestFinished(() => trail.close());
  if (version === '7') {
    const unknown = new mongoose.mongo.MongoClientBulkWriteError({ message: 'an error during execution' });
    unknown.cause = Object.assign(new Error('no such command'), { code: 59 });
    const bulk = vi.spyOn(client, 'bulkWrite').mockRejectedValue(unknown);
    onTestFinished(() => bulk.mockRestore());
  }
  const actor = (): AuditActor => ({
    username: 'a-clinician',
    organizationId,
    origin: { requestId: new Types.ObjectId().toHexString(), address: '127.0.0.1' },
  });
  const job = (idempotencyKeyIndex?: string): ScoringJob => ({
    _id: new Types.ObjectId(),
    organization: new Types.ObjectId(organizationId),
    kind: ScoringJobKind.SINGLE,
    status: submitted(),
    transitions: [submitted()],
    total: 1,
    submittedAt: new Date(),
    submittedBy: 'a-clinician',
    modelId: 'm',
    modelVersion: '1.0.0',
    modelSha256: '0',
    explain: true,
    priority: 5,
    attemptsThisRun: 0,
    dispatch: 1,
    dispatchedAt: new Date(),
    ...(idempotencyKeyIndex && { idempotencyKeyIndex }),
  });
  const submit = (submission = job(), by = trail) =>
    by.recordSubmission(
      actor(),
      { ...entry, subject: { kind: 'SCORING_JOB', id: submission._id.toHexString() } },
      submission,
    );
  return { slug, trail, job, submit, organization: new Types.ObjectId(organizationId) };
}

/** @returns the number of events of an unbroken chain */
async function eventsOf({ slug, trail }: Awaited<ReturnType<typeof start>>): Promise<number> {
  await trail.close();
  const { value } = await verifyChains(models, keyOf, { slug }).next();
  expect(value).toMatchObject({ failures: [] });
  return value!.events;
}

describe.each(versions)('with MongoDB %s', (version) => {
  test('the event of a submission and its job are both stored', async () => {
    const own = await start(version);
    const submission = own.job();
    expect(await own.submit(submission)).toEqual({ value: undefined });
    expect(await models.scoringJobs.collection.findOne({ _id: submission._id })).toEqual(submission);
    expect(await models.auditEvents.findOne({ organization: own.organization }).lean()).toMatchObject({
      ...entry,
      subject: { kind: 'SCORING_JOB', id: submission._id.toHexString() },
    });
    expect(await eventsOf(own)).toBe(1);
  });

  test('submissions of two processes at the same time leave one chain, and every job once', async () => {
    const own = await start(version);
    const other = createAuditTrail({ models, keyOf, logger });
    onTestFinished(() => other.close());
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => own.submit(own.job(), index % 2 === 0 ? own.trail : other)),
    );
    expect(outcomes).toEqual(outcomes.map(() => ({ value: undefined })));
    expect(await models.scoringJobs.countDocuments({ organization: own.organization })).toBe(60);
    await other.close();
    expect(await eventsOf(own)).toBe(60);
  });

  test('of submissions with one idempotency key one job is inserted, and those behind it are not held up', async () => {
    const own = await start(version);
    const keys = ['k', 'k', undefined, 'k', 'other', 'other', undefined];
    const outcomes = await Promise.all(keys.map((key) => own.submit(own.job(key))));
    const refused = { error: expect.objectContaining({ code: duplicateKeyCode }) };
    const stored = { value: undefined };
    expect(outcomes).toEqual([stored, refused, stored, refused, stored, refused, stored]);
    expect(await models.scoringJobs.countDocuments({ organization: own.organization })).toBe(4);
    expect(await eventsOf(own)).toBe(7);
  });

  test('no job is inserted when its event cannot be written', async () => {
    const own = await start(version, () => Promise.reject(new Error('the key cannot be read')));
    await expect(own.submit()).rejects.toThrow('The audit trail cannot be written');
    expect(await models.scoringJobs.countDocuments({ organization: own.organization })).toBe(0);
  });
});

/** Lets the first writes of a bulk be made, or all of them, and loses the answer. */
function loseAnswers(first = Infinity): void {
  const { bulkWrite } = client;
  const bulk = vi.spyOn(client, 'bulkWrite').mockImplementation(async (writes, options) => {
    await bulkWrite.call(client, writes.slice(0, first) as never, options);
    throw new Error('the connection broke');
  });
  onTestFinished(() => bulk.mockRestore());
}

test('a submission whose write was made is accepted, also when its answer is lost', async () => {
  const own = await start('8');
  loseAnswers();
  const submissions = [own.job(), own.job('once')];
  const outcomes = await Promise.all(submissions.map((submission) => own.submit(submission)));
  expect(outcomes).toEqual([{ value: undefined }, { value: undefined }]);
  expect(await models.scoringJobs.countDocuments({ organization: own.organization })).toBe(2);
  expect(await eventsOf(own)).toBe(2);
});

test('a submission whose event alone was written gets its job when the answer is lost', async () => {
  const own = await start('8');
  loseAnswers(1);
  expect(await own.submit()).toEqual({ value: undefined });
  expect(await models.scoringJobs.countDocuments({ organization: own.organization })).toBe(1);
  expect(await eventsOf(own)).toBe(1);
});

test('a submission whose outcome MongoDB cannot tell is not called one that was not carried out', async () => {
  const own = await start('8');
  loseAnswers();
  const find = vi.spyOn(models.auditEvents.collection, 'find').mockImplementation(() => {
    throw new Error('the connection broke');
  });
  onTestFinished(() => find.mockRestore());
  await expect(own.submit()).rejects.toThrow('the job may have been accepted: look for it');
});

test('a submission whose write was not made is refused, and the next one is accepted', async () => {
  const own = await start('8');
  const bulk = vi.spyOn(client, 'bulkWrite').mockRejectedValue(new Error('the connection broke'));
  onTestFinished(() => bulk.mockRestore());
  await expect(own.submit()).rejects.toThrow('The audit trail cannot be written');
  bulk.mockRestore();
  expect(await own.submit()).toEqual({ value: undefined });
});
