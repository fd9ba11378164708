import { setImmediate as turn } from 'node:timers/promises';
import type { Model, mongo, Types } from 'mongoose';
import { longestWaitMs, slowestReadMs } from '../storage/database.js';
import { createGroupCommit, type GroupResult } from '../storage/group-commit.js';
import { defined } from '../process/defined.js';
import type { KeptDocuments } from './kept-documents.js';

/** Reads one document of an organization; null when it has none. */
export type GroupedRead<T> = (organization: Types.ObjectId, value: Types.ObjectId) => Promise<T | null>;

interface GroupedOptions {
  readonly projection?: Readonly<Record<string, 1>>;
  readonly kept?: KeptDocuments;
}

/**
 * Most documents of one query. A query costs MongoDB as much as several documents in it. Larger groups would let callers
 * wait for documents that are not theirs.
 */
const largestGroup = 32;

/**
 * Shares queries among the callers of one process who read single documents at the same time: one query per
 * organization. A read begins after its caller has asked, so it sees what was stored before. Callers who ask for the same
 * document get the same object, and must not change it.
 * @param key the field that chooses a document. An index must begin with it
 * @param options.projection the fields to read. Default: all
 * @param options.kept parses only the documents that have changed. Not together with a projection
 */
export function groupedRead<T extends { readonly _id: Types.ObjectId; readonly organization: Types.ObjectId }>(
  { collection }: Model<T>,
  key: keyof T & string,
  { projection, kept }: GroupedOptions = {},
): GroupedRead<T> {
  interface Wanted {
    readonly organization: Types.ObjectId;
    readonly value: Types.ObjectId;
  }
  async function readOf(organization: Types.ObjectId, wanted: readonly Wanted[]): Promise<Map<string, T>> {
    const values = new Map(wanted.map(({ value }) => [value.toHexString(), value]));
    const found = await collection
      .find<T | Uint8Array>(
        { organization, [key]: { $in: [...values.values()] } },
        defined({ maxTimeMS: slowestReadMs, projection, raw: kept && true }) as mongo.FindOptions,
      )
      .toArray();
    const documents = kept ? found.map((bytes) => kept.read<T>(bytes as Uint8Array)) : (found as T[]);
    return new Map(documents.map((document) => [(document[key] as Types.ObjectId).toHexString(), document]));
  }
  const read = createGroupCommit<Wanted, T | null>(
    async (group) => {
      const byOrganization = new Map<string, Wanted[]>();
      for (const wanted of group) {
        const id = wanted.organization.toHexString();
        byOrganization.set(id, [...(byOrganization.get(id) ?? []), wanted]);
      }
      const results = new Map<Wanted, GroupResult<T | null>>();
      await Promise.all(
        [...byOrganization.values()].map(async (own) => {
          try {
            const found = await readOf(own[0]!.organization, own);
            own.forEach((wanted) => results.set(wanted, { value: found.get(wanted.value.toHexString()) ?? null }));
          } catch (error) {
            own.forEach((wanted) => results.set(wanted, { error }));
          }
        }),
      );
      return group.map((wanted) => results.get(wanted)!);
    },
    // Waits for one turn of the event loop after a group of several, so that callers who arrive together read together.
    { largest: largestGroup, longestWaitMs, gather: () => turn() },
  );
  return (organization, value) => read({ organization, value });
}
