import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { ApiKeyService } from '../../src/identity/api-keys/api-key-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { CreateApiKeyInput } from './api-key.input.js';
import { ApiKeyConnection, ApiKeyType, CreateApiKeyPayload, toApiKey } from './api-key.type.js';

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  constructor(private readonly service: ApiKeyService) {}

  @Query(() => ApiKeyConnection, { description: 'Newest first, including revoked keys.' })
  async apiKeys(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ApiKeyConnection> {
    return toConnection(await this.service.list(viewer, page), toApiKey);
  }

  @Mutation(() => CreateApiKeyPayload)
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<CreateApiKeyPayload> {
    const { key, apiKey } = await this.service.create(viewer, input);
    return { key, apiKey: toApiKey(apiKey) };
  }

  @Mutation(() => ApiKeyType, { description: 'Ends the key everywhere, and closes its sockets.' })
  async revokeApiKey(@Arg('id', () => ID) id: string, @Ctx() { viewer }: OperationContext): Promise<ApiKeyType> {
    return toApiKey(await this.service.revoke(viewer, id));
  }
}
