import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { WebhookService } from '../../src/webhooks/webhook-service.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import { CreateWebhookEndpointInput, RotateWebhookSecretInput, WebhookDeliveryFilter } from './webhook.input.js';
import {
  DeleteWebhookEndpointPayload,
  toWebhookDelivery,
  toWebhookEndpoint,
  toWebhookSecret,
  WebhookDeliveryConnection,
  WebhookDeliveryType,
  WebhookEndpointConnection,
  WebhookEndpointType,
  WebhookSecretPayload,
} from './webhook.type.js';

@Resolver()
export class WebhookResolver {
  constructor(private readonly service: WebhookService) {}

  @Query(() => WebhookEndpointConnection, {
    nullable: true,
    description: 'Endpoints of webhooks, newest first. Null, with an error, for other roles than ADMIN.',
  })
  async webhookEndpoints(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookEndpointConnection> {
    return toConnection(await this.service.list(viewer, page), toWebhookEndpoint);
  }

  @Query(() => WebhookDeliveryConnection, {
    nullable: true,
    description:
      'The log of the deliveries of webhooks, newest first. Null, with an error, for other roles than ADMIN.',
  })
  async webhookDeliveries(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => WebhookDeliveryFilter, { nullable: true, description: 'All deliveries when absent.' })
    filter: WebhookDeliveryFilter | null | undefined,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookDeliveryConnection> {
    return toConnection(await this.service.deliveries(viewer, page, filter ?? {}), toWebhookDelivery);
  }

  @Mutation(() => WebhookSecretPayload, {
    description: 'Makes an endpoint, which is told of all jobs that end from now on. An organization has at most 10.',
  })
  async createWebhookEndpoint(
    @Arg('input', () => CreateWebhookEndpointInput, { description: 'The new endpoint.' })
    input: CreateWebhookEndpointInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookSecretPayload> {
    return toWebhookSecret(await this.service.create(viewer, input));
  }

  @Mutation(() => WebhookSecretPayload, {
    description: 'Makes a new secret. For some hours messages are signed with both secrets.',
  })
  async rotateWebhookSecret(
    @Arg('input', () => RotateWebhookSecretInput, { description: 'The endpoint and the overlap.' })
    input: RotateWebhookSecretInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookSecretPayload> {
    return toWebhookSecret(await this.service.rotate(viewer, input));
  }

  @Mutation(() => WebhookEndpointType, {
    description: 'Enables an endpoint again. Jobs that ended while it was disabled are not told.',
  })
  async enableWebhookEndpoint(
    @Arg('id', () => ID, { description: 'Id of the endpoint.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookEndpointType> {
    return toWebhookEndpoint(await this.service.enable(viewer, id));
  }

  @Mutation(() => DeleteWebhookEndpointPayload, { description: 'Deletes an endpoint with the log of its deliveries.' })
  async deleteWebhookEndpoint(
    @Arg('id', () => ID, { description: 'Id of the endpoint.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<DeleteWebhookEndpointPayload> {
    return { id: await this.service.remove(viewer, id) };
  }

  @Mutation(() => WebhookDeliveryType, {
    description: 'Sends a delivery that has ended again, with the same webhook-id.',
  })
  async replayWebhookDelivery(
    @Arg('id', () => ID, { description: 'Id of the delivery.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<WebhookDeliveryType> {
    return toWebhookDelivery(await this.service.replay(viewer, id));
  }
}
