/*
 * Settling handles the operations that were under way while a backup was made. They began after the backup, so that
 * their callers lose nothing that the backup promises. Each is taken out wholly:
 * 1. Results of a job that is not in the backup are removed. So are its chunks and messages.
 * 2. Documents of a patient that is not in the backup are removed: the patient was erased meanwhile.
 * 3. A patient's latest result that points to a prediction which is not there is replaced by the newest one that is.
 * 4. Audit events that an archive of the trail holds are removed, if a part of them is there.
 * 5. Search tokens are made or removed again, where the switch of an organization was changed meanwhile.
 * A second settling finds nothing: the drill checks that.
 */
import type { mongo, Types } from 'mongoose';
import {
  latestResultField,
  searchTokensRepair,
  type LatestResult,
  type Models,
  type Prediction,
  type PredictionBlock,
  type StoredPatient,
} from '../../models/index.js';
import { createLatestResults } from '../predictions/latest-results.js';
import { removeFromLog } from '../storage/document-log.js';
import { walkById } from '../storage/walk.js';

/** Number of things that were taken out or mended, by kind. */
export type Settled = Readonly<
  Record<'ofMissingJobs' | 'ofMissingPatients' | 'latestResults' | 'archivedEvents' | 'searchTokens', number>
>;

/** Documents that are examined at once. */
const documentsAtOnce = 5_000;
const blocksAtOnce = 10;
/** Largest difference between the clocks of a worker and of the process that made the backup. Milliseconds. */
const clockSkewMs = 86_400_000;

/**
 * Takes out of a restored database what its backup has in part only.
 * @param begunAt the time of the backup: older results of patients need no look. Without it all are looked at
 */
export async function settle(models: Models, begunAt?: Date): Promise<Settled> {
  return {
    ofMissingJobs: await removeOfMissingJobs(models),
    ofMissingPatients: await removeOfMissingPatients(models),
    latestResults: await mendLatestResults(models, begunAt && new Date(begunAt.getTime() - clockSkewMs)),
    archivedEvents: await removeArchivedEvents(models),
    searchTokens: await repeatTokenRepairs(models),
  };
}

/**
 * The switch of prefix search is read after the patients, and the repair that follows it before them. Where they do not
 * fit, workers repeat the repair.
 */
async function repeatTokenRepairs({ organizations, patients, repairs }: Models): Promise<number> {
  let repeated = 0;
  for (const { _id: organization, prefixSearch = false } of await organizations.find({}, { prefixSearch: 1 }).lean()) {
    const _id = searchTokensRepair(organization);
    if (await repairs.exists({ _id, finishedAt: { $exists: false } })) continue;
    const wrong = { organization, searchTokens: { $exists: !prefixSearch } };
    if (!(await patients.exists(wrong))) continue;
    const now = new Date();
    const total = await patients.countDocuments({ organization });
    await nativeOf(repairs).replaceOne(
      { _id: _id as never },
      { total, processed: 0, startedAt: now, notBefore: now },
      { upsert: true },
    );
    repeated += 1;
  }
  return repeated;
}

/** Archiving the trail removes events from its beginning. A backup that was made meanwhile may have some of them. */
async function removeArchivedEvents({ auditHeads, auditEvents }: Models): Promise<number> {
  let removed = 0;
  for await (const head of nativeOf(auditHeads).find({ 'archived.sequence': { $gt: 0 } })) {
    const { sequence } = head.archived as { readonly sequence: number };
    const found = await nativeOf(auditEvents).deleteMany({ organization: head._id, sequence: { $lte: sequence } });
    removed += found.deletedCount;
  }
  return removed;
}

async function removeOfMissingJobs(models: Models): Promise<number> {
  const { predictions, predictionBlocks, scoringChunks, webhookDeliveries, scoringJobs } = models;
  let removed = 0;
  for (const collection of [predictions, predictionBlocks, scoringChunks, webhookDeliveries].map(nativeOf)) {
    for await (const found of fieldsOf<{ job: Types.ObjectId }>(collection, { job: 1 }, documentsAtOnce)) {
      const missing = await missingOf(
        nativeOf(scoringJobs),
        found.map(({ job }) => job),
      );
      const orphans = found.filter(({ job }) => missing.has(job.toHexString())).map(({ _id }) => _id);
      removed += orphans.length;
      if (orphans.length > 0) await removeFromLog(collection, { _id: { $in: orphans } });
    }
  }
  return removed;
}

async function removeOfMissingPatients(models: Models): Promise<number> {
  const { predictions, predictionBlocks, breakGlassAccesses } = models;
  const patients = nativeOf(models.patients);
  let removed = 0;
  for (const collection of [predictions, breakGlassAccesses].map(nativeOf)) {
    for await (const found of fieldsOf<{ patient: Types.ObjectId }>(collection, { patient: 1 }, documentsAtOnce)) {
      const missing = await missingOf(
        patients,
        found.map(({ patient }) => patient),
      );
      const orphans = found.filter(({ patient }) => missing.has(patient.toHexString())).map(({ _id }) => _id);
      removed += orphans.length;
      if (orphans.length > 0) await removeFromLog(collection, { _id: { $in: orphans } });
    }
  }
  type Block = Pick<PredictionBlock, 'rows'>;
  for await (const blocks of fieldsOf<Block>(nativeOf(predictionBlocks), { 'rows.patient': 1 }, blocksAtOnce)) {
    const missing = await missingOf(
      patients,
      blocks.flatMap(({ rows }) => rows.map(({ patient }) => patient)),
    );
    for (const patient of missing.values()) {
      const { modifiedCount } = await predictionBlocks.updateMany(
        { _id: { $in: blocks.map(({ _id }) => _id) }, 'rows.patient': patient },
        { $pull: { rows: { patient } }, $inc: { size: -1 } },
      );
      removed += modifiedCount;
    }
  }
  return removed;
}

/** Replaces the latest results of patients whose prediction is not there. */
async function mendLatestResults(models: Models, since: Date | undefined): Promise<number> {
  const { patients, predictions, predictionBlocks } = models;
  const latest = createLatestResults(models);
  type Holder = Pick<StoredPatient, 'latestResults'>;
  let mended = 0;
  for await (const found of fieldsOf<Holder>(nativeOf(patients), { latestResults: 1 }, documentsAtOnce)) {
    const results = found.flatMap(({ _id, latestResults }) =>
      Object.entries(latestResults ?? {})
        .filter(([, { createdAt }]) => !since || createdAt >= since)
        .map(([modelId, result]) => ({ patient: _id, modelId, result })),
    );
    const ofSingle = results.filter(({ result }) => result.number === undefined);
    const ofBlocks = results.filter(({ result }) => result.number !== undefined);
    const [missingSingle, missingBlocks] = [
      await missingOf(nativeOf(predictions), ofSingle.map(sourceOf), scored),
      await missingOf(nativeOf(predictionBlocks), ofBlocks.map(sourceOf), scored),
    ];
    const dangling = [
      ...ofSingle.filter((holder) => missingSingle.has(sourceOf(holder).toHexString())),
      ...ofBlocks.filter((holder) => missingBlocks.has(sourceOf(holder).toHexString())),
    ];
    mended += dangling.length;
    const blocks = new Map<string, Pick<PredictionBlock, '_id' | 'modelId'>>();
    for (const { patient, modelId } of dangling) {
      await patients.updateOne({ _id: patient }, { $unset: { [latestResultField(modelId)]: 1 } });
      const single = await predictions
        .findOne({ patient, modelId }, { modelId: 1 })
        .sort({ _id: -1 })
        .lean<Prediction>();
      if (single) await latest.keepMany([single]);
      const block = await predictionBlocks
        .findOne({ 'rows.patient': patient, modelId }, { modelId: 1 })
        .sort({ _id: -1 })
        .lean<PredictionBlock>();
      if (block) blocks.set(block._id.toHexString(), block);
    }
    if (blocks.size > 0) await latest.keepBlocks([...blocks.values()]);
  }
  return mended;
}

const sourceOf = ({ result }: { readonly result: LatestResult }): Types.ObjectId => result.source;

/** Matches predictions and blocks. The remains of a removed one have no model: see src/storage/document-log.ts. */
const scored = { modelId: { $exists: true } };

/** A collection without Mongoose's own types, so that collections of several kinds can be gone through alike. */
const nativeOf = (model: { readonly collection: unknown }): mongo.Collection => model.collection as mongo.Collection;

/** Walks over the documents that have these fields. The remains of a removed one have none of them but a job of its own. */
function fieldsOf<T>(
  collection: mongo.Collection,
  fields: Readonly<Record<string, 1>>,
  size: number,
): AsyncIterable<readonly (T & { readonly _id: Types.ObjectId })[]> {
  const present = Object.fromEntries(Object.keys(fields).map((field) => [field, { $exists: true }]));
  return walkById(size, async (last) => {
    const found = await collection
      .find({ ...present, $expr: { $ne: ['$job', '$_id'] }, ...(last && { _id: { $gt: last } }) })
      .project<T & { _id: Types.ObjectId }>(fields)
      .sort({ _id: 1 })
      .limit(size)
      .toArray();
    return found;
  });
}

/** The ids that a collection does not have, by their hexadecimal form. */
async function missingOf(
  collection: mongo.Collection,
  ids: readonly Types.ObjectId[],
  condition: object = {},
): Promise<Map<string, Types.ObjectId>> {
  const wanted = new Map(ids.map((id) => [id.toHexString(), id]));
  if (wanted.size === 0) return wanted;
  const found = collection.find({ _id: { $in: [...wanted.values()] }, ...condition }, { projection: { _id: 1 } });
  for await (const { _id } of found) wanted.delete((_id as Types.ObjectId).toHexString());
  return wanted;
}
