/*
 * The switch of prefix search, per organization. Step by step:
 *
 *   1. The switch is written. From then on each write of a patient follows it.
 *   2. A repair is requested. It begins after a while, when writes that had read the old switch have ended.
 *   3. Workers make the search tokens of all patients, or remove them.
 *   4. Until the tokens are made, a search by a prefix is refused.
 */
import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import { searchTokensRepair, searchTokensRepairs, type Models, type StoredPatient } from '../../models/index.js';
import { logError } from '../process/logger.js';
import { CiphertextError } from '../protection/errors.js';
import type { FieldReader, FieldWriter, ProtectionOf } from '../protection/protection.js';
import { decryptPatient } from '../scope/patient-cipher.js';
import { searchTokens } from '../scope/search-tokens.js';
import type { RepairPass, Repairs } from '../storage/repairs.js';

/** Patients per round of the repair. */
const perRound = 500;

/** Milliseconds after which every write that had read the old switch has ended: longer than any operation takes. */
const writesEndMs = 120_000;

interface PrefixSearchDependencies {
  readonly models: Models;
  readonly protectionOf: ProtectionOf;
  readonly repairs: Repairs;
  readonly logger: Logger;
}

/** Switches prefix search on and off, and carries out what follows. */
export interface PrefixSearch {
  /** @param graceMs time before the tokens are made or removed; 0 when no other process writes. @defaultValue 120,000 */
  switch(organization: Types.ObjectId, on: boolean, graceMs?: number): Promise<void>;
  /** Works on what was switched. @returns true when there is nothing more to do */
  work(sliceMs?: number): Promise<boolean>;
}

export function createPrefixSearch({ models, protectionOf, repairs, logger }: PrefixSearchDependencies): PrefixSearch {
  const { patients, organizations } = models;

  function passes(organization: Types.ObjectId, on: boolean): RepairPass[] {
    return [
      {
        collectionName: patients.collection.collectionName,
        count: () => patients.countDocuments({ organization }),
        async handle(after) {
          const found = await patients.collection
            .find<StoredPatient>({ organization, ...(after && { _id: { $gt: after } }) })
            .sort({ _id: 1 })
            .limit(perRound)
            .toArray();
          if (found.length === 0) return null;
          await (on ? makeTokens(organization, found) : removeTokens(found));
          return { last: found.at(-1)!._id, count: found.length };
        },
      },
    ];
  }

  async function makeTokens(organization: Types.ObjectId, found: readonly StoredPatient[]): Promise<void> {
    const protection = protectionOf(organization);
    const writer = await protection.writer();
    const read = await protection.reader(found.map(({ dataKey }) => dataKey));
    const updates = found.flatMap((patient) => tokensOf(patient, writer, read) ?? []);
    if (updates.length > 0) await patients.collection.bulkWrite(updates as never[], { ordered: false });
  }

  /** The update of one patient. A patient that was changed meanwhile got its tokens by that change. */
  function tokensOf(patient: StoredPatient, writer: FieldWriter, read: FieldReader): object | undefined {
    try {
      const { mrn, familyName } = decryptPatient(read, patient);
      return {
        updateOne: {
          filter: { _id: patient._id, version: patient.version },
          update: { $set: { searchTokens: searchTokens(writer, { mrn, familyName }) } },
        },
      };
    } catch (error) {
      if (!(error instanceof CiphertextError)) throw error;
      logError(logger, error, 'a patient cannot be decrypted, and is not found by prefixes', { level: 'warn' });
      return undefined;
    }
  }

  async function removeTokens(found: readonly StoredPatient[]): Promise<void> {
    await patients.updateMany({ _id: { $in: found.map(({ _id }) => _id) } }, { $unset: { searchTokens: 1 } });
  }

  return {
    async switch(organization, on, graceMs = writesEndMs) {
      await organizations.updateOne(
        { _id: organization },
        on ? { $set: { prefixSearch: true } } : { $unset: { prefixSearch: 1 } },
      );
      const name = searchTokensRepair(organization);
      await repairs.forget(name);
      await repairs.request(name, passes(organization, on), graceMs);
    },
    async work(sliceMs) {
      const pending = await models.repairs
        .find({ _id: { $gte: searchTokensRepairs, $lt: `${searchTokensRepairs}g` }, finishedAt: { $exists: false } })
        .lean();
      let done = true;
      for (const { _id } of pending) {
        const organization = await organizations.findById(_id.slice(searchTokensRepairs.length)).lean();
        if (!organization) await repairs.forget(_id);
        else if (!(await repairs.work(_id, passes(organization._id, organization.prefixSearch === true), sliceMs)))
          done = false;
      }
      return done;
    },
  };
}
