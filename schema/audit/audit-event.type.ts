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
  description: 'Whether the caller was let in, and whether the work was done.',
  valuesConfig: {
    ALLOWED: { description: 'The caller was allowed to do it. Recorded before the work began.' },
    FAILED: { description: 'The work was allowed but failed, or a login had the wrong password.' },
    DENIED: { description: 'The caller was refused.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The object of an event, in addition to its patients.' })
class AuditSubject {
  @Field(() => String, {
    description:
      'USER, API_KEY, SCORING_JOB, PREDICTION, ENCRYPTION_KEY, RISK_MODEL, WEBHOOK_ENDPOINT, AUDIT_ARCHIVE or QUEUE.',
  })
  kind!: string;

  @Field(() => ID, { description: 'Id of the object.' })
  id!: string;
}

@ObjectType('AuditEvent', {
  simpleResolvers: true,
  description:
    'A record of an action: the user, the action, the patients, the time and the address. Ids only: no names, no ' +
    'values.',
})
export class AuditEventType {
  @Field(() => ID, { description: 'Id of the event.' })
  id!: string;

  @Field(() => Int, { description: "Place in the organization's chain. The first is 1, and no number is left out." })
  sequence!: number;

  @Field(() => GraphQLDateTime, { description: 'Time of the event.' })
  occurredAt!: Date;

  @Field(() => String, { description: 'The user, or the name under which a caller tried to log in.' })
  username!: string;

  @Field(() => Role, { nullable: true, description: 'Null when the caller had not proved to be that user.' })
  role!: Role | null;

  @Field(() => String, { description: 'IP address.' })
  address!: string;

  @Field(() => String, { description: 'The id of the request, which errors and logs name too.' })
  requestId!: string;

  @Field(() => String, {
    description:
      'E.g. patient:read. It is a name of viewer { permissions }, or one without a permission, e.g. session:login.',
  })
  action!: string;

  @Field(() => AuditOutcome, { description: 'Whether the caller was let in, and whether the work was done.' })
  outcome!: AuditOutcome;

  @Field(() => [ID], {
    description: 'Patients whose data were read or written. The patients of a batch are in its job.',
  })
  patientIds!: string[];

  @Field(() => AuditSubject, {
    nullable: true,
    description: 'The object of the event, if it has one besides patients.',
  })
  subject!: AuditSubject | null;

  @Field(() => Boolean, {
    description: 'True when a reviewer should look at it: break-glass access, a stolen refresh token.',
  })
  flagged!: boolean;

  @Field(() => Int, {
    description: 'Number of equal refusals of one request that this event stands for; 1 for every other event.',
  })
  count!: number;

  @Field(() => String, {
    description: 'Keyed hash over this event and the one before it. "riskgraph audit verify" checks it.',
  })
  hash!: string;
}

export const AuditEventConnection = connectionType(AuditEventType, 'AuditEvent');
export type AuditEventConnection = InstanceType<typeof AuditEventConnection>;

@ObjectType({ simpleResolvers: true, description: 'A place at which the chain does not hold.' })
class AuditChainFailure {
  @Field(() => Int, { description: 'Sequence number of the event.' })
  sequence!: number;

  @Field(() => String, { description: 'The reason.' })
  reason!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A part of the audit chain that was examined.' })
export class AuditChainPart {
  @Field(() => Int, { description: 'Number of events that were examined.' })
  events!: number;

  @Field(() => Int, { description: 'Sequence number of the last of them. Pass it as `after` for the next part.' })
  through!: number;

  @Field(() => Int, { description: 'Sequence number at which the chain ended when the part was examined.' })
  end!: number;

  @Field(() => Boolean, { description: 'True when this part reaches the end of the chain.' })
  isComplete!: boolean;

  @Field(() => Int, { description: 'Events up to this number are in archives, which the command line verifies.' })
  archivedThrough!: number;

  @Field(() => [AuditChainFailure], { description: 'The first hundred. Empty: the part is whole and unchanged.' })
  failures!: readonly AuditChainFailure[];
}
