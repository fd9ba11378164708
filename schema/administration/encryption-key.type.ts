import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DataKeyPurpose, DataKeyState, KeyRotationState } from '../../models/index.js';

registerEnumType(DataKeyPurpose, {
  name: 'EncryptionKeyPurpose',
  description: 'The use of a data key.',
  valuesConfig: {
    FIELDS: { description: 'It encrypts the fields of documents.' },
    INDEX: { description: 'It makes the blind indexes that find those documents.' },
  },
});
registerEnumType(DataKeyState, {
  name: 'EncryptionKeyState',
  description: 'The state of a data key.',
  valuesConfig: {
    ACTIVE: { description: 'It encrypts new data.' },
    RETIRED: { description: 'It only decrypts, and is deleted when no document needs it.' },
  },
});
registerEnumType(KeyRotationState, {
  name: 'KeyRotationState',
  description: 'The state of a rotation.',
  valuesConfig: {
    QUEUED: { description: 'It waits for a worker.' },
    ACTIVE: { description: 'Workers encrypt the documents again.' },
    COMPLETED: { description: 'It has ended.' },
  },
});

@ObjectType('EncryptionKey', {
  simpleResolvers: true,
  description: 'A data key of the organization. The key itself is never shown.',
})
class EncryptionKeyType {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;

  @Field(() => DataKeyPurpose, { description: 'The use of the key.' })
  purpose!: DataKeyPurpose;

  @Field(() => DataKeyState, {
    nullable: true,
    description: 'Null for a key that documents name and that is not there: their fields are lost without a backup.',
  })
  state!: DataKeyState | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time when the key was made.' })
  createdAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'Documents that it encrypts; null for an index key.' })
  documents!: number | null;
}

@ObjectType('KeyRotation', { simpleResolvers: true, description: 'Replacing the data key of an organization.' })
export class KeyRotationType {
  @Field(() => ID, { description: 'Id of the rotation.' })
  id!: string;

  @Field(() => KeyRotationState, { description: 'The state of the rotation.' })
  state!: KeyRotationState;

  @Field(() => GraphQLDateTime, { description: 'Time of the request.' })
  requestedAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time of the end. Null until then.' })
  finishedAt!: Date | null;

  @Field(() => Int, { description: 'Documents to encrypt again; 0 before a worker begins.' })
  total!: number;

  @Field(() => Int, { description: 'Documents that were encrypted again.' })
  processed!: number;

  @Field(() => Int, { description: 'Documents that cannot be decrypted. They keep their old key.' })
  failed!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The encryption keys of the organization.' })
export class EncryptionStatus {
  @Field(() => [EncryptionKeyType], { description: 'Newest first, keys of fields before keys of indexes.' })
  keys!: EncryptionKeyType[];

  @Field(() => KeyRotationType, { nullable: true, description: 'The newest rotation. Null when there was none.' })
  rotation!: KeyRotationType | null;
}
