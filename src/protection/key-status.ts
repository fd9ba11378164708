import type { Types } from 'mongoose';
import { DataKeyPurpose, type StoredDataKey, type Models } from '../../models/index.js';
import { protectedCollections } from './protected-collections.js';

/** A data key, and the number of documents encrypted under it. */
interface DataKeyStatus {
  /** Slug of the organization, or its id when the organization does not exist. */
  readonly organization: string;
  readonly id: string;
  /** Undefined for a missing key that documents name: their fields are lost, unless a backup has the key. */
  readonly dataKey: StoredDataKey | undefined;
  /** Documents encrypted under it; undefined for an index key. */
  readonly documents: number | undefined;
}

/** Lists all data keys, grouped by organization, newest first. */
export async function dataKeyStatus(models: Models): Promise<DataKeyStatus[]> {
  const slugs = new Map((await models.organizations.find().lean()).map(({ _id, slug }) => [_id.toHexString(), slug]));
  const slugOf = (organization: Types.ObjectId): string =>
    slugs.get(organization.toHexString()) ?? organization.toHexString();
  const counts = await countDocuments(models);
  const keys = await models.dataKeys.find().sort({ purpose: 1, _id: -1 }).lean<StoredDataKey[]>();
  const known = keys.map((dataKey): DataKeyStatus => {
    const id = dataKey._id.toHexString();
    const documents = dataKey.purpose === DataKeyPurpose.FIELDS ? (counts.get(id)?.documents ?? 0) : undefined;
    counts.delete(id);
    return { organization: slugOf(dataKey.organization), id, dataKey, documents };
  });
  const lost = [...counts].map(([id, { organization, documents }]): DataKeyStatus => ({
    organization: slugOf(organization),
    id,
    dataKey: undefined,
    documents,
  }));
  return [...known, ...lost].sort((a, b) =>
    a.organization < b.organization ? -1 : Number(a.organization > b.organization),
  );
}

/** Counts the encrypted documents. @returns the counts by id of the data key */
async function countDocuments(
  models: Models,
): Promise<Map<string, { organization: Types.ObjectId; documents: number }>> {
  interface Count {
    readonly _id: { readonly organization: Types.ObjectId; readonly dataKey?: Types.ObjectId };
    readonly documents: number;
  }
  const counts = new Map<string, { organization: Types.ObjectId; documents: number }>();
  for (const { model } of protectedCollections(models)) {
    // The sort comes first, so that the index alone answers the query.
    const found = model.collection.aggregate<Count>([
      { $sort: { organization: 1, dataKey: 1 } },
      { $group: { _id: { organization: '$organization', dataKey: '$dataKey' }, documents: { $sum: 1 } } },
    ]);
    for await (const {
      _id: { organization, dataKey },
      documents,
    } of found) {
      const id = dataKey?.toHexString() ?? 'none';
      counts.set(id, { organization, documents: documents + (counts.get(id)?.documents ?? 0) });
    }
  }
  return counts;
}
