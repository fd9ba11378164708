import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import {
  ScoringJobState,
  WebhookDeliveryState,
  WebhookDisabledReason,
  WebhookFailure,
  type WebhookDelivery,
} from '../../models/index.js';
import { eventType } from '../../src/webhooks/message.js';
import type { EndpointWithSecret, ShownEndpoint } from '../../src/webhooks/webhook-service.js';
import { connectionType } from '../common/connection.js';

registerEnumType(WebhookDisabledReason, {
  name: 'WebhookDisabledReason',
  description: 'The reason why an endpoint gets no more webhooks.',
  valuesConfig: {
    FAILING: { description: 'Every attempt failed for days.' },
    GONE: { description: 'The receiver answered 410 Gone.' },
  },
});
registerEnumType(WebhookDeliveryState, {
  name: 'WebhookDeliveryState',
  description: 'The state of one message to one endpoint.',
  valuesConfig: {
    PENDING: { description: 'It waits for its next attempt.' },
    DELIVERED: { description: 'The receiver answered 2xx.' },
    FAILED: { description: 'There are no more attempts. It can be replayed.' },
  },
});
registerEnumType(WebhookFailure, {
  name: 'WebhookFailure',
  description: 'The reason why the last attempt failed.',
  valuesConfig: {
    DNS: { description: 'The host has no address.' },
    REFUSED_ADDRESS: { description: 'The host has an address that webhooks must not reach.' },
    CONNECTION: { description: 'The connection was refused or broke off.' },
    TLS: { description: 'The certificate was not accepted, or TLS failed.' },
    TIMEOUT: { description: 'The receiver did not answer in time.' },
    STATUS: { description: 'The answer was not 2xx. Redirects are not followed.' },
    DISABLED: { description: 'The endpoint was disabled before the delivery.' },
  },
});

@ObjectType('WebhookEndpoint', {
  simpleResolvers: true,
  description: 'A receiver that is told when a scoring job of the organization ends.',
})
export class WebhookEndpointType {
  @Field(() => ID, { description: 'Id of the endpoint.' })
  id!: string;

  @Field(() => String, { description: 'The address that gets the messages.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'Purpose of the endpoint.' })
  description!: string | null;

  @Field(() => [ScoringJobState], { description: 'The terminal states that are told.' })
  states!: ScoringJobState[];

  @Field(() => GraphQLDateTime, { description: 'Time of its creation.' })
  createdAt!: Date;

  @Field(() => String, { description: 'Username of the creator; "api-key:" and an id for an API key.' })
  createdBy!: string;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Time until which the secret before the last rotation signs too. Null when there is none.',
  })
  previousSecretUntil!: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Time of the first failure since the last success. Null while the receiver answers.',
  })
  failingSince!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Null while the endpoint is enabled.' })
  disabledAt!: Date | null;

  @Field(() => WebhookDisabledReason, { nullable: true, description: 'Null while the endpoint is enabled.' })
  disabledReason!: WebhookDisabledReason | null;
}

@ObjectType('WebhookDelivery', { simpleResolvers: true, description: 'One message to one endpoint, with its outcome.' })
export class WebhookDeliveryType {
  @Field(() => ID, { description: 'Is also the header webhook-id, the same for every attempt and replay.' })
  id!: string;

  @Field(() => ID, { description: 'Id of the endpoint.' })
  endpointId!: string;

  @Field(() => ID, { description: 'Id of the scoring job that ended.' })
  jobId!: string;

  @Field(() => String, { description: 'Type of the event, e.g. "scoring_job.completed".' })
  type!: string;

  @Field(() => GraphQLDateTime, { description: 'Time when the job ended.' })
  occurredAt!: Date;

  @Field(() => WebhookDeliveryState, { description: 'Tells whether it was delivered.' })
  state!: WebhookDeliveryState;

  @Field(() => Int, { description: 'Attempts so far; since the replay, if it was replayed.' })
  attempts!: number;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time of the last attempt. Null before the first.' })
  lastAttemptAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time of the next attempt. Null when it has ended.' })
  nextAttemptAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'HTTP status of the last answer. Null when there was none.' })
  responseStatus!: number | null;

  @Field(() => WebhookFailure, { nullable: true, description: 'Null when the last attempt was successful.' })
  failure!: WebhookFailure | null;
}

export const WebhookEndpointConnection = connectionType(WebhookEndpointType, 'WebhookEndpoint');
export type WebhookEndpointConnection = InstanceType<typeof WebhookEndpointConnection>;

export const WebhookDeliveryConnection = connectionType(WebhookDeliveryType, 'WebhookDelivery');
export type WebhookDeliveryConnection = InstanceType<typeof WebhookDeliveryConnection>;

@ObjectType({ simpleResolvers: true, description: 'An endpoint with a new secret.' })
export class WebhookSecretPayload {
  @Field(() => String, { description: 'The secret that signs, as "whsec_...". It is shown only now.' })
  secret!: string;

  @Field(() => WebhookEndpointType, { description: 'The endpoint.' })
  endpoint!: WebhookEndpointType;
}

@ObjectType({ simpleResolvers: true, description: 'The endpoint that was deleted.' })
export class DeleteWebhookEndpointPayload {
  @Field(() => ID, { description: 'Id of the endpoint.' })
  id!: string;
}

/** Maps an endpoint to the object that the API shows. Its secrets are left out. */
export function toWebhookEndpoint({ endpoint, url }: ShownEndpoint): WebhookEndpointType {
  const { previousSecretUntil } = endpoint;
  return {
    id: endpoint._id.toHexString(),
    url,
    description: endpoint.description ?? null,
    states: endpoint.states,
    createdAt: endpoint.createdAt,
    createdBy: endpoint.createdBy,
    previousSecretUntil: previousSecretUntil && previousSecretUntil > new Date() ? previousSecretUntil : null,
    failingSince: endpoint.failingSince ?? null,
    disabledAt: endpoint.disabledAt ?? null,
    disabledReason: endpoint.disabledReason ?? null,
  };
}

export const toWebhookSecret = (made: EndpointWithSecret): WebhookSecretPayload => ({
  secret: made.secret,
  endpoint: toWebhookEndpoint(made),
});

export function toWebhookDelivery(delivery: WebhookDelivery): WebhookDeliveryType {
  return {
    id: delivery._id.toHexString(),
    endpointId: delivery.endpoint.toHexString(),
    jobId: delivery.job.toHexString(),
    type: eventType(delivery),
    occurredAt: delivery.occurredAt,
    state: delivery.state,
    attempts: delivery.attempts,
    lastAttemptAt: delivery.lastAttemptAt ?? null,
    nextAttemptAt: delivery.state === WebhookDeliveryState.PENDING ? delivery.nextAttemptAt : null,
    responseStatus: delivery.responseStatus ?? null,
    failure: delivery.failure ?? null,
  };
}
