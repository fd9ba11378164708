import type { Types } from 'mongoose';
import type { Ciphertext } from '../../models/index.js';
import { CiphertextError } from './errors.js';
import type { ProtectedCollection, ProtectedDocument } from './protected-collections.js';
import type { FieldReader, FieldWriter, Protection } from './protection.js';
import { walkById } from '../storage/walk.js';

/** Documents that are read and written per round. */
const documentsPerRound = 500;

/** The outcome of one round. */
interface ResealedRound {
  readonly read: number;
  /** Documents that cannot be decrypted. */
  readonly failed: readonly CiphertextError[];
  /** The last document of the round. */
  readonly last: Types.ObjectId;
}

/**
 * Encrypts documents of an organization again, under its active key, in rounds and in the order of their ids. It finds
 * the documents sealed under one of the given keys. A document is written only if its ciphertexts are still those that
 * were read. So a change at the same time wins, and a later pass finds the document if it still has an old key.
 * @param after id of the document to begin after
 */
export async function* reseal(
  target: ProtectedCollection,
  organization: Types.ObjectId,
  protection: Protection,
  dataKeys: readonly Types.ObjectId[],
  after?: Types.ObjectId,
): AsyncGenerator<ResealedRound> {
  const { collection } = target.model;
  const read = (last: Types.ObjectId | undefined): Promise<ProtectedDocument[]> =>
    collection
      .find<ProtectedDocument>({ organization, dataKey: { $in: dataKeys }, ...(last && { _id: { $gt: last } }) })
      .sort({ _id: 1 })
      .limit(documentsPerRound)
      .toArray();
  for await (const documents of walkById(documentsPerRound, read, after)) {
    const failed = await resealAll(target, documents, await protection.writer(), await protection.reader(dataKeys));
    yield { read: documents.length, failed, last: documents.at(-1)!._id };
  }
}

/** Encrypts the documents of one round again. @returns an error for each document that cannot be decrypted */
async function resealAll(
  { model: { collection }, fields }: ProtectedCollection,
  documents: readonly ProtectedDocument[],
  writer: FieldWriter,
  read: FieldReader,
): Promise<CiphertextError[]> {
  const named = fields.map((field) => [field, `${collection.name}.${field}`] as const);
  const failed: CiphertextError[] = [];
  const operations = documents.flatMap((document) => {
    try {
      return [{ updateOne: resealed(document, named, writer, read) }];
    } catch (error) {
      if (!(error instanceof CiphertextError)) throw error;
      failed.push(error);
      return [];
    }
  });
  if (operations.length > 0) await collection.bulkWrite(operations as never, { ordered: false });
  return failed;
}

/** The update of one document: the same fields, encrypted again. @throws CiphertextError */
function resealed(
  document: ProtectedDocument,
  fields: readonly (readonly [field: string, name: string])[],
  { dataKey, seal }: FieldWriter,
  read: FieldReader,
) {
  const { _id } = document;
  const present = document as unknown as Readonly<Record<string, Ciphertext | null | undefined>>;
  // A filter with null matches a field that is absent.
  const unchanged = fields.map(([field]) => [field, present[field] ?? null] as const);
  const again = fields.flatMap(([field, name]) => {
    const ciphertext = present[field];
    return ciphertext ? [[field, seal(_id, name, read(_id, name, ciphertext))] as const] : [];
  });
  return {
    filter: { _id, dataKey: document.dataKey, ...Object.fromEntries(unchanged) },
    update: { $set: { ...Object.fromEntries(again), dataKey } },
  };
}
