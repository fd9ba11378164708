import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import type { ApiKey } from '../../models/index.js';
import { publicPrefix } from '../../src/identity/api-keys/api-key-format.js';
import { connectionType } from '../common/connection.js';

@ObjectType('ApiKey', { simpleResolvers: true, description: 'The credential of a machine. Its role is SERVICE.' })
export class ApiKeyType {
  @Field(() => ID, { description: 'Id of the key.' })
  id!: string;

  @Field(() => String, { description: 'Purpose of the key.' })
  name!: string;

  @Field(() => String, { description: 'The beginning of the key, to tell keys apart. It is no secret.' })
  prefix!: string;

  @Field(() => [String], { description: 'The actions that the key may do.' })
  scopes!: string[];

  @Field(() => GraphQLDateTime, { description: 'Time when the key was made.' })
  createdAt!: Date;

  @Field(() => String, { description: 'Username of the administrator.' })
  createdBy!: string;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'To the minute. Null when it was never used.' })
  lastUsedAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Null: the key is valid until it is revoked.' })
  expiresAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time when the key was revoked. Null while it is not.' })
  revokedAt!: Date | null;
}

export const ApiKeyConnection = connectionType(ApiKeyType, 'ApiKey');
export type ApiKeyConnection = InstanceType<typeof ApiKeyConnection>;

@ObjectType({ simpleResolvers: true, description: 'A new API key and its secret.' })
export class CreateApiKeyPayload {
  @Field(() => String, { description: 'For the header "Authorization: Bearer ...". It is shown only now.' })
  key!: string;

  @Field(() => ApiKeyType, { description: 'The key, as apiKeys lists it.' })
  apiKey!: ApiKeyType;
}

/** Maps an API key to the object that the API shows. The hash of its secret is left out. */
export function toApiKey(apiKey: ApiKey): ApiKeyType {
  const id = apiKey._id.toHexString();
  return {
    id,
    name: apiKey.name,
    prefix: publicPrefix(id),
    scopes: apiKey.scopes,
    createdAt: apiKey.createdAt,
    createdBy: apiKey.createdBy,
    lastUsedAt: apiKey.lastUsedAt ?? null,
    expiresAt: apiKey.expiresAt ?? null,
    revokedAt: apiKey.revokedAt ?? null,
  };
}
