import type { KeyObject } from 'node:crypto';
import { Types } from 'mongoose';
import { DataKeyPurpose, DataKeyState, type StoredDataKey, type Models } from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import { bytesOf, toBinary } from '../storage/binary.js';
import { CiphertextError, MasterKeyMissingError } from './errors.js';
import { rewrapKey, unwrapKey, wrapNewKey, type KeyOwner } from './key-wrap.js';
import type { MasterKey } from './master-keys.js';

/** The active keys of an organization, used for all its new data. */
export interface WritingKeys {
  readonly fields: { readonly id: Types.ObjectId; readonly key: KeyObject };
  readonly index: KeyObject;
}

/** Reads and writes data keys in MongoDB, where they are stored wrapped (encrypted). Every method asks MongoDB. */
export interface DataKeyStore {
  /** The active keys of an organization; missing ones are created. Callers at the same time get the same keys. */
  writing(organization: Types.ObjectId): Promise<WritingKeys>;
  /** The keys with these ids, by id. Ids without a key are left out. */
  find(ids: readonly Types.ObjectId[]): Promise<Map<string, KeyObject>>;
  /** Retires a key: it encrypts no new data. The next call of `writing` creates another one. */
  retire(id: Types.ObjectId): Promise<void>;
  /** Wraps all keys of an organization under the present master key. */
  rewrap(organization: Types.ObjectId): Promise<void>;
  /** Id of the master key that new keys are wrapped under. */
  readonly masterKeyId: string;
}

/**
 * @param masterKeys at least one; the first one is the present key, which wraps new keys
 * @param onMissing called with the id of a missing master key, before the error is thrown
 * @throws MasterKeyMissingError (all methods) when the master key of a data key is missing; CiphertextError when a data
 *   key was changed
 */
export function createDataKeyStore(
  { dataKeys }: Pick<Models, 'dataKeys'>,
  masterKeys: readonly MasterKey[],
  onMissing?: (masterKey: string) => void,
): DataKeyStore {
  const [present] = masterKeys as [MasterKey];
  // Reads ask the primary: a secondary may miss a key that was written a moment ago.
  const read = (filter: object): Promise<StoredDataKey[]> =>
    dataKeys.collection.find<StoredDataKey>(filter, { readPreference: 'primary' }).toArray();

  function masterKeyOf(dataKey: StoredDataKey): KeyObject {
    const found = masterKeys.find(({ id }) => id === dataKey.masterKey);
    if (found) return found.key;
    onMissing?.(dataKey.masterKey);
    throw new MasterKeyMissingError();
  }
  function unwrapped(dataKey: StoredDataKey): KeyObject {
    const masterKey = masterKeyOf(dataKey);
    return guarded(dataKey, () => unwrapKey(masterKey, ownerOf(dataKey), bytesOf(dataKey.wrappedKey)));
  }

  async function create(organization: Types.ObjectId, purpose: DataKeyPurpose): Promise<void> {
    const _id = new Types.ObjectId();
    const wrappedKey = toBinary(wrapNewKey(present.key, ownerOf({ _id, organization, purpose })));
    const dataKey: StoredDataKey = {
      _id,
      organization,
      purpose,
      state: DataKeyState.ACTIVE,
      wrappedKey,
      masterKey: present.id,
      createdAt: new Date(),
    };
    try {
      await dataKeys.collection.insertOne(dataKey as never);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  return {
    masterKeyId: present.id,

    async writing(organization) {
      for (;;) {
        const active = await read({ organization, state: DataKeyState.ACTIVE });
        const [fields, index] = [DataKeyPurpose.FIELDS, DataKeyPurpose.INDEX].map((wanted) =>
          active.find(({ purpose }) => purpose === wanted),
        );
        if (fields && index) return { fields: { id: fields._id, key: unwrapped(fields) }, index: unwrapped(index) };
        if (!fields) await create(organization, DataKeyPurpose.FIELDS);
        if (!index) await create(organization, DataKeyPurpose.INDEX);
      }
    },

    async find(ids) {
      const found = await read({ _id: { $in: ids }, purpose: DataKeyPurpose.FIELDS });
      return new Map(found.map((dataKey) => [dataKey._id.toHexString(), unwrapped(dataKey)]));
    },

    async retire(id) {
      await dataKeys.collection.updateOne(
        { _id: id, state: DataKeyState.ACTIVE },
        { $set: { state: DataKeyState.RETIRED, retiredAt: new Date() } },
      );
    },

    async rewrap(organization) {
      for (const dataKey of await read({ organization, masterKey: { $ne: present.id } })) {
        const wrappedKey = guarded(dataKey, () =>
          rewrapKey(masterKeyOf(dataKey), present.key, ownerOf(dataKey), bytesOf(dataKey.wrappedKey)),
        );
        await dataKeys.collection.updateOne(
          { _id: dataKey._id, masterKey: dataKey.masterKey },
          { $set: { wrappedKey: toBinary(wrappedKey), masterKey: present.id } },
        );
      }
    },
  };
}

/** The organization, id and purpose that a wrapped key is bound to. */
export function ownerOf({
  _id,
  organization,
  purpose,
}: Pick<StoredDataKey, '_id' | 'organization' | 'purpose'>): KeyOwner {
  return { organization: organization.id, id: _id.id, purpose };
}

function guarded<T>({ _id }: StoredDataKey, unwrap: () => T): T {
  try {
    return unwrap();
  } catch (error) {
    if (error instanceof MasterKeyMissingError) throw error;
    throw new CiphertextError(
      `data key ${_id.toHexString()}`,
      'its data key was changed, or the master key with its id is now another one',
      { cause: error },
    );
  }
}
