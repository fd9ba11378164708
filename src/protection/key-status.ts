import type { Types } from 'mongoose';
import { DataKeyPurpose, type StoredDataKey, type Models } from '../../models/index.js';
import { protectedCollections } from './protected-collections.js';

/** A data key, and the number of documents encrypted under it. */
export interface DataKeyStatus {
  /** Slug of the organization, or its id when the organization does not exist. */
  readonly organization: string;
  readonly id: string;
  /** Undefined for a missing key that documents name: their fields are lost, unless a backup has the key. */
  readonly dataKey: StoredDataKey | undefined;
  /** Documents encrypted under it; undefined for an index key. */
  readonly documents: number | undefined;
}

/** Longest time of one count, milliseconds. */
const longestCountMs = 30_000;

/**
 * Lists the data keys of all organizations, or of one, grouped by organization, newest first.
 * @throws an error of MongoDB when a count for one organization takes more than 30 seconds
 */
export async function dataKeyStatus(models: Models, only?: Types.ObjectId): Promise<DataKeyStatus[]> {
  const ofOne = only && { organization: only };
  const slugs = new Map(
    (await models.organizations.find(only ? { _id: only } : {}).lean()).map(({ _id, slug }) => [
      _id.toHexString(),
      slug,
    ]),
  );
  const slugOf = (organization: Types.ObjectId): string =>
    slugs.get(organization.toHexString()) ?? organization.toHexString();
  const counts = await countDocuments(models, ofOne);
  const keys = await models.dataKeys
    .find({ ...ofOne })
    .sort({ purpose: 1, _id: -1 })
    .lean<StoredDataKey[]>();
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
  ofOne: { readonly organization: Types.ObjectId } | undefined,
): Promise<Map<string, { organization: Types.ObjectId; documents: number }>> {
  interface Count {
    readonly _id: { readonly organization: Types.ObjectId; readonly dataKey?: Types.ObjectId };
    readonly documents: number;
  }
  const counts = new Map<string, { organization: Types.ObjectId; documents: number }>();
  for (const { model } of protectedCollections(models)) {
    // The sort comes first, so that the index alone answers the query.
    const found = model.collection.aggregate<Count>(
      [
        ...(ofOne ? [{ $match: ofOne }] : []),
        { $sort: { organization: 1, dataKey: 1 } },
        { $group: { _id: { organization: '$organization', dataKey: '$dataKey' }, documents: { $sum: 1 } } },
      ],
      ofOne && { maxTimeMS: longestCountMs },
    );
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
