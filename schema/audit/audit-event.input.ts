import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType } from 'type-graphql';
import { AuditOutcome } from './audit-event.type.js';

@InputType({ description: 'All conditions must hold.' })
export class AuditEventFilter {
  @Field(() => ID, { nullable: true })
  patientId?: string | null;

  @Field(() => String, { nullable: true })
  username?: string | null;

  @Field(() => [String], { nullable: true, description: 'Any of these.' })
  actions?: string[] | null;

  @Field(() => [AuditOutcome], { nullable: true, description: 'Any of these.' })
  outcomes?: AuditOutcome[] | null;

  @Field(() => Boolean, { nullable: true })
  flagged?: boolean | null;

  @Field(() => String, { nullable: true })
  requestId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  occurredAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  occurredBefore?: Date | null;
}
