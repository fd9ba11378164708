import { Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { DataKeyPurpose, type KeyRotation } from '../../models/index.js';
import type { EncryptionKeys } from '../../src/administration/encryption-keys.js';
import type { OperationContext } from '../common/context.js';
import { EncryptionStatus, KeyRotationType } from './encryption-key.type.js';

@Resolver()
export class EncryptionKeyResolver {
  constructor(private readonly service: EncryptionKeys) {}

  @Query(() => EncryptionStatus, {
    nullable: true,
    complexity: 2_000,
    description:
      'The keys that encrypt the patient data of the organization, with the number of documents of each. Null, with ' +
      'an error, for other roles than ADMIN.',
  })
  async encryptionStatus(@Ctx() { viewer }: OperationContext): Promise<EncryptionStatus> {
    const { keys, rotation } = await this.service.status(viewer);
    return {
      keys: keys.map(({ id, dataKey, documents }) => ({
        id,
        purpose: dataKey?.purpose ?? DataKeyPurpose.FIELDS,
        state: dataKey?.state ?? null,
        createdAt: dataKey?.createdAt ?? null,
        documents: documents ?? null,
      })),
      rotation: rotation && toKeyRotation(rotation),
    };
  }

  @Mutation(() => KeyRotationType, {
    complexity: 2_000,
    description:
      'Has a new data key made. Workers then encrypt all data of the organization again, while it is in use. While a ' +
      'rotation is under way, a call gives that one.',
  })
  async rotateEncryptionKey(@Ctx() { viewer }: OperationContext): Promise<KeyRotationType> {
    return toKeyRotation(await this.service.rotate(viewer));
  }
}

function toKeyRotation(rotation: KeyRotation): KeyRotationType {
  const { state, requestedAt, total, processed, failed } = rotation;
  return {
    id: rotation._id.toHexString(),
    state,
    requestedAt,
    finishedAt: rotation.finishedAt ?? null,
    total,
    processed,
    failed,
  };
}
