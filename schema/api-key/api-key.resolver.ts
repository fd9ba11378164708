import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { ApiKeyService } from '../../src/identity/api-keys/api-key-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { CreateApiKeyInput } from './api-key.input.js';
import { ApiKeyConnection, ApiKeyType, CreateApiKeyPayload, toApiKey } from './api-key.type.js';

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  constructor(private readonly service: ApiKeyService) {}

  @Query(() => ApiKeyConnection, {
    nullable: true,
    description:
      'The keys of the organization, newest first, including revoked ones. Null, with an error, for other roles than ADMIN.',
  })
  async apiKeys(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ApiKeyConnection> {
    return toConnection(await this.service.list(viewer, page), toApiKey);
  }

  @Mutation(() => CreateApiKeyPayload, { description: 'Makes a key for a machine. The secret is shown only now.' })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key to make.' }) input: CreateApiKeyInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<CreateApiKeyPayload> {
    const { key, apiKey } = await this.service.create(viewer, input);
    return { key, apiKey: toApiKey(apiKey) };
  }

  @Mutation(() => ApiKeyType, { description: 'Ends the key everywhere, and closes its sockets.' })
  async revokeApiKey(
    @Arg('id', () => ID, { description: 'Id of the key.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ApiKeyType> {
    return toApiKey(await this.service.revoke(viewer, id));
  }
}
