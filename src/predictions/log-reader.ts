import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import type { LogNumber, Models, PredictionRow } from '../../models/index.js';
import { slowestReadMs } from '../storage/database.js';
import { behind, lastNumber, logIndex } from '../storage/document-log.js';
import { predictionId } from './prediction-block.js';

/**
 * A place in the log of predictions of an organization. All before it was read. Single predictions and blocks are numbered
 * separately: see src/storage/document-log.ts.
 */
export interface LogPlace {
  /** Number of the last prediction that was stored on its own. */
  readonly single: number;
  /** Number of the last block, whole or in part. */
  readonly block: number;
  /** Number of the last row of that block, or `lastRow`. */
  readonly row: number;
}

/** The end of a block, however many rows it has. */
const lastRow = 0xff_ff_ff;

/** A prediction in the log. */
export interface LoggedPrediction {
  readonly id: string;
  readonly patient: Types.ObjectId;
  /** The place right behind it. */
  readonly place: LogPlace;
}

/** Reads the logs of predictions, for all followers of this process. */
interface LogReader {
  /** The place behind all predictions. */
  end(organizationId: string): Promise<LogPlace>;
  /**
   * Reads on from a place.
   * @param patientId with it, only predictions of this patient
   * @returns predictions in the order of the log, at most some hundred, the place that was reached, and whether there may
   *   be more
   */
  read(
    organizationId: string,
    from: LogPlace,
    patientId: string | null,
  ): Promise<{ readonly predictions: readonly LoggedPrediction[]; readonly place: LogPlace; readonly more: boolean }>;
  /** Tells that there may be new predictions: what is being read may be too old for a reader who asks from now on. */
  forget(): void;
}

/** Predictions of single jobs, and rows of a block, that a follower reads at once. */
const mostAtOnce = 100;
/** Full pages that are kept for other followers, and the time for which they are. Milliseconds. */
const keptPages = { singles: { max: 500, ttl: 1_000 }, blocks: { max: 16, ttl: 10_000 } };

/** A prediction of a single job. Its patient is missing when it was removed. */
interface Single {
  readonly _id: Types.ObjectId;
  readonly patient?: Types.ObjectId;
  readonly logged: Pick<LogNumber, 'number'>;
}

/** A block with the patients of its rows. They are missing when it was removed. */
interface Block {
  readonly _id: Types.ObjectId;
  readonly logged: Pick<LogNumber, 'number'>;
  readonly rows?: readonly Pick<PredictionRow, 'number' | 'patient'>[];
}

/**
 * Creates the reader. What is read survives a failover: in a replica set only a majority makes it visible here. Followers
 * at the same place share a read; most are at the end.
 */
export function createLogReader({ predictions, predictionBlocks }: Pick<Models, 'predictions' | 'predictionBlocks'>) {
  const options = {
    sort: { 'logged.number': 1 },
    hint: logIndex,
    readConcern: { level: 'majority' },
    maxTimeMS: slowestReadMs,
  } as const;

  const singlesBehind = share<Single[]>(
    keptPages.singles,
    (page) => page.length === mostAtOnce,
    (organization, number) =>
      predictions.collection
        .find<Single>(behind(organization, number), {
          ...options,
          projection: { patient: 1, 'logged.number': 1 },
          limit: mostAtOnce,
        })
        .toArray(),
  );
  const blockBehind = share<Block | null>(
    keptPages.blocks,
    (block) => block !== null,
    (organization, number) =>
      predictionBlocks.collection.findOne<Block>(behind(organization, number), {
        ...options,
        projection: { 'logged.number': 1, 'rows.number': 1, 'rows.patient': 1 },
      }),
  );
  const lastNumbers = share<LogPlace>(
    { max: 1, ttl: 1 },
    () => false,
    async (organization) => {
      const [single, block] = await Promise.all([
        lastNumber(predictions, organization, 'majority'),
        lastNumber(predictionBlocks, organization, 'majority'),
      ]);
      return { single, block, row: lastRow };
    },
  );

  const reader: LogReader = {
    end: (organizationId) => lastNumbers.read(organizationId, 0),
    forget: () => [singlesBehind, blockBehind, lastNumbers].forEach(({ forget }) => forget()),
    async read(organizationId, from, patientId) {
      const [page, block] = await Promise.all([
        singlesBehind.read(organizationId, from.single),
        // A block of which some rows were read is read again.
        blockBehind.read(organizationId, from.row === lastRow ? from.block : from.block - 1),
      ]);
      const isOfPatient = (patient: Types.ObjectId): boolean =>
        patientId === null || patient.toHexString() === patientId;
      const singles = page.flatMap(({ _id, patient, logged }) =>
        patient && isOfPatient(patient)
          ? [{ id: _id.toHexString(), patient, place: { ...from, single: logged.number } }]
          : [],
      );
      const behindSingles = { ...from, single: page.at(-1)?.logged.number ?? from.single };
      const more = page.length === mostAtOnce || block !== null;
      if (!block) return { predictions: singles, place: behindSingles, more };

      const { number } = block.logged;
      const isPart = number === from.block;
      const left = (block.rows ?? []).filter((row) => (!isPart || row.number > from.row) && isOfPatient(row.patient));
      const taken = left.slice(0, mostAtOnce);
      const rows = taken.map((row) => ({
        id: predictionId(block._id, row.number).toHexString(),
        patient: row.patient,
        place: { ...behindSingles, block: number, row: row.number },
      }));
      const place = taken.length < left.length ? rows.at(-1)!.place : { ...behindSingles, block: number, row: lastRow };
      return { predictions: [...singles, ...rows], place, more };
    },
  };
  return reader;
}

/**
 * Shares reads of a log among those who ask for the same place: while the read is under way, and longer if its result
 * cannot change.
 * @param isFinal tells whether later reads of the same place give the same
 */
function share<T>(
  kept: { readonly max: number; readonly ttl: number },
  isFinal: (result: T) => boolean,
  read: (organization: Types.ObjectId, number: number) => Promise<T>,
) {
  const final = new LRUCache<string, { readonly result: T }>({ ...kept, ttlAutopurge: true });
  const underWay = new Map<string, Promise<T>>();
  async function start(key: string, organizationId: string, number: number): Promise<T> {
    const reading = read(new Types.ObjectId(organizationId), number);
    underWay.set(key, reading);
    try {
      const result = await reading;
      if (isFinal(result)) final.set(key, { result });
      return result;
    } finally {
      if (underWay.get(key) === reading) underWay.delete(key);
    }
  }
  return {
    async read(organizationId: string, number: number): Promise<T> {
      const key = `${organizationId} ${number}`;
      const known = final.get(key);
      return known ? known.result : (underWay.get(key) ?? start(key, organizationId, number));
    },
    forget: () => underWay.clear(),
  };
}
