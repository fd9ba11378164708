import { Types, type Connection } from 'mongoose';
import { mebibytes, percent, type Section } from './section.js';

/** Sizes of a collection as MongoDB says them, bytes. */
interface Sizes {
  readonly count: number;
  readonly size: number;
  readonly storageSize: number;
  readonly totalIndexSize: number;
}

/**
 * Tells how large each collection is, and how much of it came in the period. The time of a document is that in its id;
 * collections with other ids have no growth here.
 * @param days length of the period
 */
export async function storageSection(database: Connection, days: number, now = new Date()): Promise<Section> {
  const since = Types.ObjectId.createFromTime(Math.floor(now.getTime() / 1_000) - days * 86_400);
  const collections = await database.db!.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  const rows = await Promise.all(
    collections
      .filter(({ name }) => !name.startsWith('system.'))
      .map(async ({ name }) => {
        const sizes = (await database.db!.command({ collStats: name })) as Sizes;
        // Ids of another type do not count as later than an ObjectId.
        const added = await database.db!.collection(name).countDocuments({ _id: { $gte: since } });
        return { name, ...sizes, added, addedBytes: sizes.count === 0 ? 0 : (sizes.size / sizes.count) * added };
      }),
  );
  rows.sort((a, b) => b.size - a.size);
  const sum = (part: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + part(row), 0);
  const disk = sum((row) => row.storageSize + row.totalIndexSize);
  const added = sum((row) => row.addedBytes);
  return {
    title: `Sizes, and growth in the last ${days} days`,
    columns: ['collection', 'documents', 'data MiB', 'on disk MiB', 'indexes MiB', 'new', 'new MiB'],
    rows: rows.map(({ name, count, size, storageSize, totalIndexSize, added: documents, addedBytes }) => [
      name,
      count,
      mebibytes(size),
      mebibytes(storageSize),
      mebibytes(totalIndexSize),
      documents,
      mebibytes(addedBytes),
    ]),
    remarks: [
      `On disk: ${mebibytes(disk)} MiB with indexes. New data: ${mebibytes(added / days)} MiB per day before compression, ` +
        `${
          percent(
            added,
            sum(({ size }) => size),
          ) || '0 %'
        } of all.`,
    ],
  };
}
