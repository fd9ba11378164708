import { GraphQLDateTime, GraphQLLocalDate } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { AdministrativeGender, type LatestResult } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

registerEnumType(AdministrativeGender, { name: 'AdministrativeGender', description: "FHIR's administrative gender." });

@ObjectType({ simpleResolvers: true, description: 'The latest value of one feature.' })
class PatientFeature {
  @Field(() => String)
  code!: string;

  @Field(() => Float)
  value!: number;

  @Field(() => String, { description: 'UCUM code. Empty when no risk model that is served uses the feature.' })
  unit!: string;

  @Field(() => GraphQLDateTime)
  recordedAt!: Date;
}

/** Cost of a field that is decrypted for it. A cost of 1 is about 3 microseconds. */
const decryption = 10;

@ObjectType('Patient', { simpleResolvers: true, description: 'A person, identified by MRN within the organization.' })
export class PatientType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Medical record number.', complexity: decryption })
  mrn!: string;

  @Field(() => String, { nullable: true, complexity: decryption })
  givenName!: string | null;

  @Field(() => String, { nullable: true, complexity: decryption })
  familyName!: string | null;

  @Field(() => GraphQLLocalDate, { nullable: true, complexity: decryption })
  birthDate!: string | null;

  @Field(() => Int, {
    nullable: true,
    complexity: decryption,
    description: 'Completed years. For a caller who may not see exact ages, 90 stands for 90 and more.',
  })
  age!: number | null;

  @Field(() => AdministrativeGender)
  sex!: AdministrativeGender;

  @Field(() => [PatientFeature])
  features!: PatientFeature[];

  @Field(() => [String], {
    nullable: true,
    description: 'Usernames of the clinicians who may see the patient. Null: every clinician of the organization may.',
  })
  careTeam!: string[] | null;

  @Field(() => Int, {
    description: 'Pass it to updatePatient. An update of an older version is refused with CONFLICT.',
  })
  version!: number;

  @Field(() => GraphQLDateTime)
  createdAt!: Date;

  @Field(() => GraphQLDateTime)
  updatedAt!: Date;

  /** Read by the resolver of the latest prediction. */
  latestResults!: Readonly<Record<string, LatestResult>> | undefined;
}

export const PatientConnection = connectionType(PatientType, 'Patient');
export type PatientConnection = InstanceType<typeof PatientConnection>;

@ObjectType('BreakGlassAccess', {
  simpleResolvers: true,
  description: "A grant: a patient outside of a clinician's care team is visible to the clinician for a limited time.",
})
export class BreakGlassAccessType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  patientId!: string;

  @Field(() => String)
  username!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => GraphQLDateTime)
  grantedAt!: Date;

  @Field(() => GraphQLDateTime)
  expiresAt!: Date;
}

export const BreakGlassAccessConnection = connectionType(BreakGlassAccessType, 'BreakGlassAccess');
export type BreakGlassAccessConnection = InstanceType<typeof BreakGlassAccessConnection>;

@ObjectType({ simpleResolvers: true })
export class DeletePatientPayload {
  @Field(() => ID, { description: 'Id of the patient that was erased, together with its predictions.' })
  id!: string;
}

@ObjectType({ simpleResolvers: true })
export class AssignCareTeamPayload {
  @Field(() => ID, { description: 'Id of the patient, of whom nothing else is shown.' })
  patientId!: string;
}
