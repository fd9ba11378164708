import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { IssuedTokens } from '../../src/identity/sessions/session-service.js';
import { toViewer } from '../viewer/viewer.mapper.js';
import { ViewerType } from '../viewer/viewer.type.js';

@ObjectType({ simpleResolvers: true, description: 'The tokens of a session.' })
export class SessionPayload {
  @Field(() => String, {
    description: 'For the header "Authorization: Bearer ...", and for the first payload of a socket.',
  })
  accessToken!: string;

  @Field(() => String, {
    description: 'Valid for one refresh, which gives a new one. A second use after ten seconds ends the session.',
  })
  refreshToken!: string;

  @Field(() => GraphQLDateTime, { description: 'Time when the access token ends.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'Time when the session ends. A refresh does not change it.' })
  refreshExpiresAt!: Date;

  @Field(() => ViewerType, { description: 'The user of the session.' })
  viewer!: ViewerType;
}

@ObjectType({ simpleResolvers: true, description: 'A session that was to be ended.' })
export class LogoutPayload {
  @Field(() => Boolean, { description: 'False when there was no such session, or when it had already ended.' })
  ended!: boolean;
}

export function toSessionPayload({
  accessToken,
  refreshToken,
  refreshExpiresAt,
  identity,
}: IssuedTokens): SessionPayload {
  return {
    accessToken,
    refreshToken,
    refreshExpiresAt,
    expiresAt: new Date(identity.expiresAt),
    viewer: toViewer(identity),
  };
}
