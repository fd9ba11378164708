import type { Model, Types } from 'mongoose';
import type { Models } from '../../models/index.js';
import { sealedPatientFields } from '../../models/patient.js';

/** What every document with sealed fields has. All of its ciphertexts are under the one key that `dataKey` names. */
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
  /** Documents that must never change, e.g. because a chain of hashes runs over them: a rotation leaves them, and keeps their key. */
  readonly appendOnly?: true;
}

/** Every collection that holds ciphertexts: what is not listed here is not found by a rotation, and loses its key. */
export function protectedCollections(models: Models): readonly ProtectedCollection[] {
  return [
    { model: models.patients as unknown as Model<ProtectedDocument>, fields: sealedPatientFields },
    { model: models.breakGlassAccesses as unknown as Model<ProtectedDocument>, fields: ['reason'] },
  ];
}

/** How many documents are sealed under these keys. Asks the primary: a key must not go because a secondary has not heard of a document. */
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
