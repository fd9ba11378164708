import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { Role } from '../../models/index.js';

registerEnumType(Role, {
  name: 'Role',
  description: 'The role of a caller, which decides what the caller may do.',
  valuesConfig: {
    CLINICIAN: { description: 'Reads and writes patients, submits and reads jobs.' },
    ANALYST: { description: 'Reads predictions without names, MRN or birth date.' },
    SERVICE: { description: 'Submits jobs and reads results.' },
    ADMIN: { description: 'Manages users, models and queues; sees no patient data.' },
  },
});

@ObjectType('Organization', { simpleResolvers: true, description: 'The tenant that everything belongs to.' })
export class OrganizationType {
  @Field(() => ID, { description: 'Id of the organization.' })
  id!: string;

  @Field(() => String, { description: 'Short name, which logins and commands use.' })
  slug!: string;

  @Field(() => String, { description: 'The name as a person reads it.' })
  name!: string;
}

@ObjectType('Viewer', { description: 'The caller of this request.' })
export class ViewerType {
  organizationId!: string;
  sessionId!: string | undefined;

  @Field(() => String, { description: 'The username, or the name of the API key.' })
  username!: string;

  @Field(() => Role, { description: 'The role of the caller.' })
  role!: Role;

  @Field(() => [String], { description: 'The actions that the role may do; for an API key, only those in its scopes.' })
  permissions!: string[];

  @Field(() => GraphQLDateTime, {
    description: 'Time when the access token or API key ends; in the year 9999 for a key without an end.',
  })
  expiresAt!: Date;
}
