import type { Types } from 'mongoose';
import type { Ciphertext } from '../../models/index.js';
import { CiphertextError } from './errors.js';
import type { ProtectedCollection, ProtectedDocument } from './protected-collections.js';
import type { FieldReader, FieldWriter, Protection } from './protection.js';

/** Documents read and written at a time. */
const documentsPerRound = 500;

/** What became of one round. */
interface ResealedRound {
  readonly read: number;
  /** Documents that cannot be opened. */
  readonly failed: readonly CiphertextError[];
  /** The last document of the round; undefined when there was none. */
  readonly last: Types.ObjectId | undefined;
}

/**
 * Encrypts the next documents of an organization that are sealed under one of these keys anew, under its active key. A
 * document is replaced only while every ciphertext in it is the one that was read: who changes it at the same time wins,
 * and it is found again by a later pass if it still needs to be.
 */
export async function resealRound(
  { model: { collection }, fields }: ProtectedCollection,
  organization: Types.ObjectId,
  protection: Protection,
  dataKeys: readonly Types.ObjectId[],
  after: Types.ObjectId | undefined,
): Promise<ResealedRound> {
  const documents = await collection
    .find<ProtectedDocument>({ organization, dataKey: { $in: dataKeys }, ...(after && { _id: { $gt: after } }) })
    .sort({ _id: 1 })
    .limit(documentsPerRound)
    .toArray();
  const [writer, read] = [await protection.writer(), await protection.reader(dataKeys)];
  const failed: CiphertextError[] = [];
  const operations = documents.flatMap((document) => {
    try {
      return [
        {
          updateOne: resealed(
            document,
            fields.map((field) => [field, `${collection.name}.${field}`] as const),
            writer,
            read,
          ),
        },
      ];
    } catch (error) {
      if (!(error instanceof CiphertextError)) throw error;
      failed.push(error);
      return [];
    }
  });
  if (operations.length > 0) await collection.bulkWrite(operations as never, { ordered: false });
  return { read: documents.length, failed, last: documents.at(-1)?._id };
}

function resealed(
  document: ProtectedDocument,
  fields: readonly (readonly [field: string, name: string])[],
  { dataKey, seal }: FieldWriter,
  read: FieldReader,
) {
  const { _id } = document;
  const present = document as unknown as Readonly<Record<string, Ciphertext | null | undefined>>;
  // Equal to null: absent, or stored as null by an earlier version.
  const unchanged = fields.map(([field]) => [field, present[field] ?? null] as const);
  const anew = fields.flatMap(([field, name]) => {
    const ciphertext = present[field];
    return ciphertext ? [[field, seal(_id, name, read(_id, name, ciphertext))] as const] : [];
  });
  return {
    filter: { _id, dataKey: document.dataKey, ...Object.fromEntries(unchanged) },
    update: { $set: { ...Object.fromEntries(anew), dataKey } },
  };
}
