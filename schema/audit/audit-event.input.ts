import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType } from 'type-graphql';
import { AuditOutcome } from './audit-event.type.js';

@InputType({ description: 'All conditions must hold.' })
export class AuditEventFilter {
  @Field(() => ID, { nullable: true, description: 'Events about this patient.' })
  patientId?: string | null;

  @Field(() => String, { nullable: true, description: 'Events of this user.' })
  username?: string | null;

  @Field(() => [String], { nullable: true, description: 'Any of these.' })
  actions?: string[] | null;

  @Field(() => [AuditOutcome], { nullable: true, description: 'Any of these.' })
  outcomes?: AuditOutcome[] | null;

  @Field(() => Boolean, { nullable: true, description: 'Only flagged events, or only others.' })
  flagged?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Events of one request, by the id that its answer names.' })
  requestId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Events after this time.' })
  occurredAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Events before this time.' })
  occurredBefore?: Date | null;
}
