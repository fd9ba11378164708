/*
 * Block: the predictions of one chunk of a batch, stored as one document, with one row per patient. A prediction in a
 * block has an id of its own, which names the block and the row.
 */
import { randomBytes } from 'node:crypto';
import { Types } from 'mongoose';
import type { Prediction, PredictionBlock, PredictionRow } from '../../models/index.js';
import { bytesOf } from '../storage/binary.js';

/** The part of an id that all predictions of a block share: seconds since 1970 (4 bytes) and randomness (5). */
const prefixBytes = 9;
const idBytes = 12;

/** Bytes of the rows of a block at most. A document holds 16 MiB; the other half is for everything besides the rows. */
const largestRows = 8 * 1024 * 1024;
/** Bytes of a row besides its values, rounded up. */
const rowOverhead = 128;

/** The parts of a block that all its predictions share. */
export type BlockHead = Omit<
  PredictionBlock,
  'rows' | 'failures' | 'failed' | 'size' | 'highestProbability' | 'riskBands' | 'chunk' | 'unlisted' | 'logged'
>;

/** Fields of a BlockHead, as a MongoDB projection. MongoDB always adds `_id`. */
export const blockHeadFields = {
  organization: 1,
  job: 1,
  modelId: 1,
  modelVersion: 1,
  modelSha256: 1,
  outputSpace: 1,
  unit: 1,
  features: 1,
  classes: 1,
  explanation: 1,
  createdAt: 1,
} as const;

/**
 * Makes the id of a new block, which sorts by time like every ObjectId.
 * @param createdAt time of its predictions. Its seconds are the first four bytes, so a range of times is a range of
 *   ids.
 */
export function newBlockId(createdAt: Date): Types.ObjectId {
  const bytes = Buffer.alloc(idBytes);
  bytes.writeUInt32BE(Math.floor(createdAt.getTime() / 1000), 0);
  randomBytes(prefixBytes - 4).copy(bytes, 4);
  return new Types.ObjectId(bytes);
}

/**
 * The block in which a prediction would be, and the number of its row. Every id has such a place, also when there is no
 * block with that id.
 */
export function placeOf(prediction: Types.ObjectId): { readonly block: Types.ObjectId; readonly number: number } {
  const bytes = Buffer.alloc(idBytes);
  bytes.set(prediction.id.subarray(0, prefixBytes));
  return {
    block: new Types.ObjectId(bytes),
    number: Buffer.from(prediction.id).readUIntBE(prefixBytes, idBytes - prefixBytes),
  };
}

/** Id of the prediction in row `number` of a block. */
export function predictionId(block: Types.ObjectId, number: number): Types.ObjectId {
  const bytes = Buffer.from(block.id);
  bytes.writeUIntBE(number, prefixBytes, idBytes - prefixBytes);
  return new Types.ObjectId(bytes);
}

/** The numbers that decide how many values a row has. */
interface RowShape {
  readonly features: number;
  readonly explained: boolean;
  /** Number of classes; 0 for a model without them. */
  readonly classes: number;
}

/** Number of values of a row. */
export const rowWidth = ({ features, explained, classes }: RowShape): number =>
  1 + features + (explained ? 2 + features : 0) + 2 * classes;

/** Number of patients that fit into one block. */
export const largestBlock = (shape: Omit<RowShape, 'explained'>): number =>
  Math.floor(largestRows / (8 * rowWidth({ ...shape, explained: true }) + rowOverhead));

/** The prediction of a row, in the form of a prediction that was stored on its own. */
export function predictionOf(head: BlockHead, row: PredictionRow): Prediction {
  // The bytes are copied, because bytes from the network may not start at a multiple of eight.
  const { buffer, length } = new Uint8Array(bytesOf(row.values));
  // If the bytes were cut off in the database, only whole numbers are read. A verification then names what is missing.
  const values = new Float64Array(buffer, 0, Math.floor(length / Float64Array.BYTES_PER_ELEMENT));
  const [rawOutput, ...rest] = values as unknown as [number, ...number[]];
  const inputs = Object.fromEntries(
    head.features.map((code, index) => [code, Number.isNaN(rest[index]) ? null : rest[index]!]),
  );
  const { features: _features, classes: names = [], explanation, ...shared } = head;
  const [outputValue, additivityError, ...contributions] = rest.slice(
    head.features.length,
    names.length === 0 ? undefined : -2 * names.length,
  ) as [number, number, ...number[]];
  const ofClasses = names.length === 0 ? [] : rest.slice(-2 * names.length);
  const classes = names.map((name, place) => ({
    name,
    rawOutput: ofClasses[place]!,
    probability: ofClasses[names.length + place]!,
  }));
  return {
    ...shared,
    _id: predictionId(head._id, row.number),
    patient: row.patient,
    rawOutput,
    ...(row.probability !== undefined && { probability: row.probability }),
    ...(row.quantity !== undefined && { quantity: row.quantity }),
    riskBand: row.riskBand,
    ...(names.length > 0 && { classes }),
    inputs,
    ...(explanation && { explanation: { ...explanation, outputValue, additivityError, contributions } }),
  };
}
