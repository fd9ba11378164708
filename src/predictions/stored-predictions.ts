/*
 * The stored predictions of one organization, from two collections: `predictions` has those of SINGLE jobs, and
 * `predictionBlocks` has those of batches.
 *
 * How a page of predictions is read:
 * 1. Predictions that are stored on their own are read, newest first, at most one page of them.
 * 2. Blocks that may contain a match are read, newest first. Their matching rows become predictions, until a page is
 *    full.
 * 3. Both results are merged, newest first, and cut to one page.
 *
 * The id of a prediction in a block names the block and the row, so a prediction is found by its id in either
 * collection.
 */
import type { Types } from 'mongoose';
import type { Prediction, PredictionRow } from '../../models/index.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { PagePosition, PageSource, Way } from '../scope/pagination.js';
import type { FindOptions } from '../scope/scoped-collection.js';
import { blockHeadFields, placeOf, predictionId, predictionOf, type BlockHead } from './prediction-block.js';
import {
  blockIndex,
  blockQuery,
  choosesRows,
  predictionIndex,
  predictionQuery,
  rowCondition,
  type PredictionSelection,
  type PredictionFilter,
} from './prediction-filter.js';
import type { Viewer } from '../auth/viewer.js';
import { visibleRows } from '../patients/visible-rows.js';
import { mapInSteps } from '../process/map-in-steps.js';
import { removeFromLog } from '../storage/document-log.js';
import { walkById } from '../storage/walk.js';

/** The predictions of one organization. Single jobs store them on their own; batches store them in blocks. */
interface StoredPredictions {
  /** Finds a prediction that is stored on its own. */
  findAlone(id: Types.ObjectId): Promise<Prediction | null>;
  /** Finds a prediction in a block. */
  findInBlock(id: Types.ObjectId): Promise<Prediction | null>;
  /** @returns the predictions in the order of the ids, with null for an id without a prediction */
  findMany(ids: readonly Types.ObjectId[]): Promise<(Prediction | null)[]>;
  /** @returns the prediction of a SINGLE job */
  ofJob(job: Types.ObjectId): Promise<Prediction | null>;
  /** @returns the predictions of one chunk of a batch, in no order */
  ofChunk(job: Types.ObjectId, chunk: number): Promise<Prediction[]>;
  /** Newest first. */
  list(filter: PredictionSelection): PageSource<Prediction>;
  /** Patients and jobs of the matching predictions, some thousands per step, in no order. */
  owners(filter: PredictionSelection): AsyncIterable<readonly PredictionOwner[]>;
  /** @returns the number of predictions of each job, by its hexadecimal id; a job without predictions is absent */
  countOfJobs(jobs: readonly Types.ObjectId[], closed: readonly Types.ObjectId[]): Promise<Map<string, number>>;
  /** @returns the number of predictions of each patient, by its hexadecimal id */
  countOfPatients(patients: readonly Types.ObjectId[]): Promise<Map<string, number>>;
  /** Removes everything about a patient. */
  erase(patient: Types.ObjectId): Promise<void>;
}

/** A row that was taken out of its block by `$unwind`. */
type UnwoundRow = BlockHead & { readonly rows: PredictionRow };

/** The job and the patient of a prediction. */
type PredictionOwner = Pick<Prediction, 'job' | 'patient'>;

/** The patients of one block. */
interface BlockOwners {
  readonly _id: Types.ObjectId;
  readonly job: Types.ObjectId;
  readonly patients: readonly Types.ObjectId[];
}

/** Most predictions of one block that are read one by one. */
const fewRows = 4;

/** Predictions, and blocks, whose owners are read in one query. */
const ownersAtOnce = { predictions: 10_000, blocks: 5 };

/** Number of predictions of one job or patient; `_id` is null for the number of all. */
interface Count {
  readonly _id: Types.ObjectId | null;
  readonly count: number;
}

/** Adds the counts of both collections for each job or patient. */
function byOwner(counts: readonly Count[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { _id, count } of counts) sums.set(_id!.toHexString(), (sums.get(_id!.toHexString()) ?? 0) + count);
  return sums;
}

const newestFirst = { _id: -1 } as const;
const orders = { forward: newestFirst, backward: { _id: 1 } } as const;

/**
 * Order of predictions that are stored on their own. A job has one of them, so those of some jobs are few: they fit
 * into one page, and `list` sorts it.
 */
const inOrder = (filter: PredictionSelection, way: Way = 'forward'): Pick<FindOptions, 'sort' | 'hint'> => ({
  hint: predictionIndex(filter),
  ...(filter.jobId == null && !filter.jobs && { sort: orders[way] }),
});

const byId = (predictions: readonly (Prediction | null)[]): Map<string, Prediction> =>
  new Map(predictions.flatMap((prediction) => (prediction ? [[prediction._id.toHexString(), prediction]] : [])));

export function storedPredictions({
  predictions,
  predictionBlocks,
}: Pick<OrganizationScope, 'predictions' | 'predictionBlocks'>): StoredPredictions {
  async function findInBlock(id: Types.ObjectId): Promise<Prediction | null> {
    const { block, number } = placeOf(id);
    const found = await predictionBlocks.findOne(
      { _id: block },
      { projection: { ...blockHeadFields, rows: { $elemMatch: { number } } } },
    );
    const row = found?.rows?.[0];
    return row ? predictionOf(found, row) : null;
  }

  /**
   * Finds predictions in blocks, by their hexadecimal ids. A block with many of them is read once and whole. Of a block
   * with few of them, MongoDB sends only those rows: a block has thousands.
   */
  async function findInBlocks(ids: readonly Types.ObjectId[]): Promise<Map<string, Prediction>> {
    const byBlock = new Map<string, Types.ObjectId[]>();
    for (const id of ids) {
      const block = placeOf(id).block.toHexString();
      byBlock.set(block, [...(byBlock.get(block) ?? []), id]);
    }
    const groups = [...byBlock.values()];
    const single = groups.filter((group) => group.length <= fewRows).flat();
    const blocks = groups.filter((group) => group.length > fewRows).map(([id]) => placeOf(id!).block);
    const wanted = new Set(ids.map((id) => id.toHexString()));
    const [ofFew, ofMany] = await Promise.all([
      Promise.all(single.map(findInBlock)),
      blocks.length === 0
        ? []
        : predictionBlocks.find({ _id: { $in: blocks } }, { projection: { ...blockHeadFields, rows: 1 } }),
    ]);
    const ofBlocks = ofMany.flatMap(({ rows, ...head }) =>
      rows
        .filter(({ number }) => wanted.has(predictionId(head._id, number).toHexString()))
        .map((row) => predictionOf(head, row)),
    );
    return byId([...ofFew, ...ofBlocks]);
  }

  async function findMany(ids: readonly Types.ObjectId[]): Promise<(Prediction | null)[]> {
    if (ids.length === 0) return [];
    const many = ids.length > fewRows ? findInBlocks(ids) : undefined;
    const [single] = await Promise.all([predictions.findMany(ids), many]);
    // Of a few, most are stored on their own.
    const ofBlocks = await (many ?? findInBlocks(ids.filter((_id, index) => !single[index])));
    return ids.map((id, index) => single[index] ?? ofBlocks.get(id.toHexString()) ?? null);
  }

  async function listBlocks(
    filter: PredictionSelection,
    from: PagePosition | null,
    limit: number,
    way: Way,
  ): Promise<Prediction[]> {
    const place = { id: from?.id, way };
    const matching = { $filter: { input: '$rows', as: 'row', cond: rowCondition(filter, place) } };
    const rows = await predictionBlocks.aggregate<UnwoundRow>(
      blockQuery(filter, place),
      [
        { $sort: orders[way] },
        { $project: { ...blockHeadFields, rows: way === 'forward' ? { $reverseArray: matching } : matching } },
        // MongoDB stops reading blocks when the page is full.
        { $unwind: '$rows' },
        { $limit: limit },
      ],
      { hint: blockIndex(filter) },
    );
    return mapInSteps(rows, ({ rows: row, ...head }) => predictionOf(head, row));
  }

  /** @param key null for one count of all jobs together */
  function countInBlocks(filter: PredictionSelection, key: '$job' | null): Promise<Count[]> {
    const size = choosesRows(filter)
      ? { $size: { $filter: { input: '$rows', as: 'row', cond: rowCondition(filter) } } }
      : '$size';
    return predictionBlocks.aggregate<Count>(blockQuery(filter), [{ $group: { _id: key, count: { $sum: size } } }]);
  }

  const ownersOfSingle = (filter: PredictionSelection): AsyncIterable<readonly PredictionOwner[]> =>
    walkById(ownersAtOnce.predictions, (last) =>
      predictions.find(predictionQuery(filter, { id: last, way: 'forward' }), {
        projection: { job: 1, patient: 1 },
        ...inOrder(filter),
        limit: ownersAtOnce.predictions,
      }),
    );

  async function* ownersInBlocks(filter: PredictionSelection): AsyncGenerator<readonly PredictionOwner[]> {
    const matching = { $filter: { input: '$rows', as: 'row', cond: rowCondition(filter) } };
    const stages = [
      { $sort: newestFirst },
      { $limit: ownersAtOnce.blocks },
      { $project: { job: 1, patients: { $map: { input: matching, in: '$$this.patient' } } } },
    ] as const;
    const blocks = walkById(ownersAtOnce.blocks, (last) =>
      predictionBlocks.aggregate<BlockOwners>(
        { $and: [blockQuery(filter), last ? { _id: { $lt: last } } : {}] },
        stages,
        { hint: blockIndex(filter) },
      ),
    );
    for await (const found of blocks)
      yield found.flatMap(({ job, patients }) => patients.map((patient) => ({ job, patient })));
  }

  return {
    findAlone: (id) => predictions.findOne({ _id: id }),
    findInBlock,
    findMany,
    ofJob: (job) => predictions.findOne({ job }),
    async ofChunk(job, chunk) {
      const [found] = await predictionBlocks.find(
        { job, chunk },
        { projection: { ...blockHeadFields, rows: 1 }, limit: 1, hint: { job: 1, chunk: 1 } },
      );
      if (!found) return [];
      const { rows, ...head } = found;
      return rows.map((row) => predictionOf(head, row));
    },
    list: (filter) => ({
      name: predictions.name,
      async find(from, limit, way) {
        const [single, ofBlocks] = await Promise.all([
          predictions.find(predictionQuery(filter, { id: from?.id, way }), { ...inOrder(filter, way), limit }),
          listBlocks(filter, from, limit, way),
        ]);
        const sign = way === 'forward' ? -1 : 1;
        return [...single, ...ofBlocks].sort((a, b) => sign * Buffer.compare(a._id.id, b._id.id)).slice(0, limit);
      },
      async count() {
        const [single, [inBlocks]] = await Promise.all([
          predictions.count(predictionQuery(filter)),
          countInBlocks(filter, null),
        ]);
        return single + (inBlocks?.count ?? 0);
      },
    }),
    async *owners(filter) {
      yield* ownersOfSingle(filter);
      yield* ownersInBlocks(filter);
    },
    async countOfJobs(jobs, closed) {
      const filter = { jobs, closed };
      const single = predictions.aggregate<Count>(predictionQuery(filter), [
        { $group: { _id: '$job', count: { $sum: 1 } } },
      ]);
      return byOwner((await Promise.all([single, countInBlocks(filter, '$job')])).flat());
    },
    async countOfPatients(patients) {
      const count = { $group: { _id: '$patient', count: { $sum: 1 } } };
      const counts = await Promise.all([
        predictions.aggregate<Count>({ patient: { $in: [...patients] } }, [count]),
        // A batch has each patient at most once, so a block does too.
        predictionBlocks.aggregate<Count>({ 'rows.patient': { $in: [...patients] } }, [
          { $project: { patient: { $setIntersection: ['$rows.patient', [...patients]] } } },
          { $unwind: '$patient' },
          count,
        ]),
      ]);
      return byOwner(counts.flat());
    },
    async erase(patient) {
      await removeFromLog(predictions, { patient });
      await predictionBlocks.updateMany(
        { 'rows.patient': patient },
        { $pull: { rows: { patient } }, $inc: { size: -1 } },
      );
      await predictionBlocks.updateMany(
        { 'failures.patient': patient, failed: { $gt: 0 } },
        { $pull: { failures: { patient } } },
      );
    },
  };
}

/** The predictions of the patients that are visible to one viewer. */
interface VisiblePredictions {
  /** Newest first. */
  list(filter: PredictionFilter): PageSource<Prediction>;
  /** @returns the number of visible predictions of each job, by its hexadecimal id; a job without any is absent */
  countOfJobs(jobs: readonly Types.ObjectId[]): Promise<Map<string, number>>;
}

export function visiblePredictions(scope: OrganizationScope, viewer: Viewer): VisiblePredictions {
  const stored = storedPredictions(scope);
  const rows = visibleRows(scope, viewer);
  return {
    list: (filter) =>
      rows.source(
        filter,
        (closed) => stored.list({ ...filter, closed }),
        () => stored.owners(filter),
      ),
    async countOfJobs(jobs) {
      const closed = await rows.closed({});
      if (closed) return stored.countOfJobs(jobs, closed);
      const counts = new Map<string, number>();
      for await (const owners of stored.owners({ jobs })) {
        for (const { job } of await rows.onlyVisible(owners))
          counts.set(job.toHexString(), (counts.get(job.toHexString()) ?? 0) + 1);
      }
      return counts;
    },
  };
}
