import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Model, Types } from 'mongoose';
import type { Models, Organization } from '../../models/index.js';
import { ensureOrganization } from '../identity/organizations.js';
import { trialSlug } from '../config/slug.js';
import { StartupError } from '../errors.js';
import { behind } from '../storage/document-log.js';

/** Age from which the organization of a trial was left behind by a killed command, milliseconds. */
const leftBehindMs = 3_600_000;
/** Time without a new document after which an organization is removed for good, milliseconds. Heads come within 1 s. */
const settledMs = 1_500;
/** Most rounds of a removal. */
const mostRounds = 10;

/** Makes an organization for one trial. */
export const makeTrialOrganization = (models: Models): Promise<Organization> =>
  ensureOrganization(models, `verify-${randomBytes(6).toString('hex')}`);

/**
 * Removes the organization of a trial with all its documents, its audit chain too: it holds nothing of a person, and the
 * trial alone has used it. Processes may still write for a request under way, so it is done when no document came for
 * some time. The organization itself goes last, so that a later trial finds the remains of a killed one.
 * @returns the number of documents that were removed
 * @throws StartupError when documents come again and again, or when it is no organization of a trial
 */
export async function removeTrialOrganization(models: Models, { _id, slug }: Organization): Promise<number> {
  if (!trialSlug.test(slug)) throw new StartupError(`${slug} is no organization of a trial, so it is not removed.`);
  let removed = 0;
  for (let round = 1; ; round += 1) {
    const now = await removeDocuments(models, _id);
    removed += now;
    if (round > 1 && now === 0) break;
    if (round === mostRounds)
      throw new StartupError(`Documents of ${slug} come again and again: run "riskgraph verify" again in an hour.`);
    await delay(settledMs);
  }
  await models.organizations.deleteOne({ _id });
  return removed + 1;
}

/** Removes the organizations that killed trials have left behind. @returns their slugs */
export async function removeLeftTrials(models: Models): Promise<string[]> {
  const left = await models.organizations
    .find({ slug: trialSlug, createdAt: { $lt: new Date(Date.now() - leftBehindMs) } })
    .lean<Organization[]>();
  for (const organization of left) await removeTrialOrganization(models, organization);
  return left.map(({ slug }) => slug);
}

async function removeDocuments(models: Models, organization: Types.ObjectId): Promise<number> {
  const jobs = await models.scoringJobs.find({ organization }, { _id: 1 }).lean<{ _id: Types.ObjectId }[]>();
  const removals = [
    models.scoringChunks.collection.deleteMany({ job: { $in: jobs.map(({ _id }) => _id) } }),
    models.auditHeads.collection.deleteMany({ _id: organization }),
  ];
  for (const model of Object.values(models) as Model<unknown>[]) {
    if (model.schema.path('organization')) removals.push(model.collection.deleteMany({ organization }));
    // The remains of removed documents in a log. The index of a log has only documents with a number.
    if (model.schema.path('logged.organization')) removals.push(model.collection.deleteMany(behind(organization, 0)));
  }
  return (await Promise.all(removals)).reduce((sum, { deletedCount }) => sum + deletedCount, 0);
}
