import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Role } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

export enum AuditOutcome {
  ALLOWED = 'ALLOWED',
  FAILED = 'FAILED',
  DENIED = 'DENIED',
}
registerEnumType(AuditOutcome, {
  name: 'AuditOutcome',
  valuesConfig: {
    ALLOWED: { description: 'The caller was let to do it. Recorded before it was done.' },
    FAILED: { description: 'What was allowed did not come about, or a login had the wrong password.' },
    DENIED: { description: 'The caller was refused.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'What an event is about, beside patients.' })
class AuditSubject {
  @Field(() => String, { description: 'USER, API_KEY, SCORING_JOB, PREDICTION or ENCRYPTION_KEY.' })
  kind!: string;

  @Field(() => ID)
  id!: string;
}

@ObjectType('AuditEvent', {
  simpleResolvers: true,
  description: 'Who did what, with whose data, when, from where. Ids only: no names, no values.',
})
export class AuditEventType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { description: "Place in the organization's chain; the first is 1, and none is left out." })
  sequence!: number;

  @Field(() => GraphQLDateTime)
  occurredAt!: Date;

  @Field(() => String)
  username!: string;

  @Field(() => Role, { nullable: true, description: 'Null where nobody had proved to be that user.' })
  role!: Role | null;

  @Field(() => String, { description: 'IP address.' })
  address!: string;

  @Field(() => String)
  requestId!: string;

  @Field(() => String, {
    description: 'E.g. patient:read; the names of viewer { permissions }, and session:login and its like.',
  })
  action!: string;

  @Field(() => AuditOutcome)
  outcome!: AuditOutcome;

  @Field(() => [ID], { description: 'Whose data were read or written. Those of a batch are in its job.' })
  patientIds!: string[];

  @Field(() => AuditSubject, { nullable: true })
  subject!: AuditSubject | null;

  @Field(() => Boolean, { description: 'Wants attention: break-glass access, a stolen refresh token.' })
  flagged!: boolean;

  @Field(() => String, {
    description: 'Keyed hash over this event and the one before it; "riskgraph audit verify" checks them.',
  })
  hash!: string;
}

export const AuditEventConnection = connectionType(AuditEventType, 'AuditEvent');
export type AuditEventConnection = InstanceType<typeof AuditEventConnection>;
