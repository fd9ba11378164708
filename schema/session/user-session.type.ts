import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { Session } from '../../models/index.js';
import type { Identity } from '../../src/auth/viewer.js';
import { connectionType } from '../common/connection.js';

@ObjectType('Session', {
  simpleResolvers: true,
  description: 'A session of a user with a password, from the login to its end. Its tokens are not shown.',
})
export class SessionType {
  @Field(() => ID, { description: 'Id of the session.' })
  id!: string;

  @Field(() => ID, { description: 'Id of the user.' })
  userId!: string;

  @Field(() => GraphQLDateTime, { description: 'Time of the login.' })
  createdAt!: Date;

  @Field(() => String, {
    nullable: true,
    description: 'Address that the login came from. Null for a session that an earlier release began.',
  })
  address!: string | null;

  @Field(() => GraphQLDateTime, { description: 'Time of the login, or of the latest refresh after it.' })
  lastUsedAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'Time when the session ends. A refresh does not change it.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Time of an end before that. Null while it lives.' })
  endedAt!: Date | null;

  @Field(() => Boolean, { description: 'True for the session of the token that asks.' })
  isCurrent!: boolean;
}

export const SessionConnection = connectionType(SessionType, 'Session');
export type SessionConnection = InstanceType<typeof SessionConnection>;

@InputType({ description: 'Conditions on the sessions of a list. Absent ones do not count.' })
export class SessionFilter {
  @Field(() => ID, { nullable: true, description: 'Sessions of this user.' })
  userId?: string | null;
}

/** Maps a session to the object that the API shows. The hashes of its tokens are left out. */
export function toSession(session: Session, { sessionId }: Pick<Identity, 'sessionId'>): SessionType {
  const id = session._id.toHexString();
  return {
    id,
    userId: session.user.toHexString(),
    createdAt: session.createdAt,
    address: session.address ?? null,
    lastUsedAt: session.refreshedAt,
    expiresAt: session.expiresAt,
    endedAt: session.endedAt ?? null,
    isCurrent: id === sessionId,
  };
}
