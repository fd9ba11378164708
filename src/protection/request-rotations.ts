import { Types } from 'mongoose';
import {
  DataKeyPurpose,
  DataKeyState,
  KeyRotationState,
  type StoredDataKey,
  type KeyRotation,
  type Models,
} from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';

/**
 * Requests a rotation for each of these organizations that has a data key. The rotation replaces the data key, and
 * wraps all keys of the organization under this master key. If a rotation is under way already, it only gets the new
 * master key.
 * @param onRecord gets each key to be replaced and the work to do: it records the rotation and does the work
 * @returns the ids of the rotations
 */
export async function requestRotations(
  { dataKeys, keyRotations }: Models,
  masterKey: string,
  organizations: readonly Types.ObjectId[],
  onRecord: <T>(dataKey: StoredDataKey, work: () => Promise<T>) => Promise<T> = (_dataKey, work) => work(),
): Promise<Types.ObjectId[]> {
  const active = await dataKeys
    .find({ organization: { $in: organizations }, purpose: DataKeyPurpose.FIELDS, state: DataKeyState.ACTIVE })
    .lean<StoredDataKey[]>();
  const ids: Types.ObjectId[] = [];
  for (const dataKey of active) {
    const { _id: replaces, organization } = dataKey;
    ids.push(
      await onRecord(
        dataKey,
        async () =>
          (await follow(organization)) ?? (await request(organization, replaces)) ?? (await follow(organization))!,
      ),
    );
  }
  return ids;

  /** Gives this master key to a rotation under way. Undefined when there is none. */
  async function follow(organization: Types.ObjectId): Promise<Types.ObjectId | undefined> {
    return (
      await keyRotations
        .findOneAndUpdate({ organization, unfinished: true }, { $set: { masterKey } })
        .lean<KeyRotation>()
    )?._id;
  }
  /** Stores a new rotation. Undefined when another process has stored one first. */
  async function request(organization: Types.ObjectId, replaces: Types.ObjectId): Promise<Types.ObjectId | undefined> {
    const rotation: KeyRotation = {
      _id: new Types.ObjectId(),
      organization,
      state: KeyRotationState.QUEUED,
      unfinished: true,
      masterKey,
      replaces,
      total: 0,
      processed: 0,
      failed: 0,
      requestedAt: new Date(),
    };
    try {
      await keyRotations.collection.insertOne(rotation as never);
      return rotation._id;
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }
}

/** The progress of several rotations together, in documents. */
export interface RotationProgress {
  readonly processed: number;
  readonly failed: number;
  readonly total: number;
  /** Rotations that have not ended. */
  readonly unfinished: number;
  /** Unfinished rotations that no worker has begun. */
  readonly waiting: number;
}

/** Reads the progress of these rotations. */
export async function rotationProgress(
  { keyRotations }: Pick<Models, 'keyRotations'>,
  ids: readonly Types.ObjectId[],
): Promise<RotationProgress> {
  const rotations = await keyRotations.find({ _id: { $in: ids } }).lean<KeyRotation[]>();
  const sum = (value: (rotation: KeyRotation) => number): number =>
    rotations.reduce((total, rotation) => total + value(rotation), 0);
  return {
    processed: sum(({ processed }) => processed),
    failed: sum(({ failed }) => failed),
    total: sum(({ total }) => total),
    unfinished: sum(({ unfinished }) => Number(unfinished)),
    waiting: sum(({ state }) => Number(state === KeyRotationState.QUEUED)),
  };
}
