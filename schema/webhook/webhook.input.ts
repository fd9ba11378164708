import { Field, ID, InputType, Int } from 'type-graphql';
import { ScoringJobState, WebhookDeliveryState } from '../../models/index.js';

@InputType({ description: 'A new endpoint of webhooks.' })
export class CreateWebhookEndpointInput {
  @Field(() => String, {
    description: 'Begins with https:// and names a public host, or a host that WEBHOOK_ALLOWED_HOSTS names.',
  })
  url!: string;

  @Field(() => String, { nullable: true, description: 'Purpose of the endpoint, up to 100 characters.' })
  description?: string | null;

  @Field(() => [ScoringJobState], {
    nullable: true,
    description: 'Terminal states that are told; COMPLETED, FAILED and CANCELLED when absent.',
  })
  states?: ScoringJobState[] | null;
}

@InputType({ description: 'The endpoint that gets a new secret.' })
export class RotateWebhookSecretInput {
  @Field(() => ID, { description: 'Id of the endpoint.' })
  id!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Hours for which the present secret signs too, from 0 to 168; 24 when absent.',
  })
  overlapHours?: number | null;
}

@InputType({ description: 'All conditions must hold.' })
export class WebhookDeliveryFilter {
  @Field(() => ID, { nullable: true, description: 'Deliveries to this endpoint.' })
  endpointId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Deliveries about this scoring job.' })
  jobId?: string | null;

  @Field(() => WebhookDeliveryState, { nullable: true, description: 'Deliveries in this state.' })
  state?: WebhookDeliveryState | null;
}
