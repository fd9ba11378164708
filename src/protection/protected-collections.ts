import type { Model, Types } from 'mongoose';
import type { Models } from '../../models/index.js';
import { sealedPatientFields } from '../../models/patient.js';

/** A document with sealed fields. The one key that `dataKey` names encrypts all of them. */
export interface ProtectedDocument {
  readonly _id: Types.ObjectId;
  readonly organization: Types.ObjectId;
  readonly dataKey: Types.ObjectId;
}

/** A collection with sealed fields. It needs the index `{ organization: 1, dataKey: 1, _id: 1 }`. */
export interface ProtectedCollection {
  readonly model: Model<ProtectedDocument>;
  /** A field `f` is sealed as `collection.f`, with the collection's name in MongoDB. */
  readonly fields: readonly string[];
  /** Documents must never change, e.g. as parts of a hash chain. A rotation skips them, and their data key is kept. */
  readonly appendOnly?: true;
}

/**
 * Lists every collection with sealed fields. A rotation finds no other one, so the key of any other would be deleted.
 */
export function protectedCollections(models: Models): readonly ProtectedCollection[] {
  return [
    { model: models.patients as unknown as Model<ProtectedDocument>, fields: sealedPatientFields },
    { model: models.breakGlassAccesses as unknown as Model<ProtectedDocument>, fields: ['reason'] },
    {
      model: models.webhookEndpoints as unknown as Model<ProtectedDocument>,
      fields: ['url', 'secret', 'previousSecret'],
    },
  ];
}

/**
 * Counts the documents that are sealed under these keys. It asks the primary: a secondary may miss a new document, and
 * the key of that document would be deleted.
 */
export async function countSealed(
  collections: readonly ProtectedCollection[],
  organization: Types.ObjectId,
  dataKeys: readonly Types.ObjectId[],
): Promise<number> {
  const counts = await Promise.all(
    collections.map(({ model }) =>
      model.collection.countDocuments({ organization, dataKey: { $in: dataKeys } }, { readPreference: 'primary' }),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
