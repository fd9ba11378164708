import { GraphQLDateTime, GraphQLLocalDate } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { AdministrativeGender, type LatestResult } from '../../models/index.js';
import { connectionType } from '../common/connection.js';

registerEnumType(AdministrativeGender, {
  name: 'AdministrativeGender',
  description: "FHIR's administrative gender.",
  valuesConfig: {
    MALE: { description: 'Male.' },
    FEMALE: { description: 'Female.' },
    OTHER: { description: 'Other.' },
    UNKNOWN: { description: 'Not known.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'The latest value of one feature.' })
class PatientFeature {
  @Field(() => String, { description: 'Code of the feature, as in ModelFeature.code.' })
  code!: string;

  @Field(() => Float, { description: 'The latest value, in `unit`.' })
  value!: number;

  @Field(() => String, { description: 'UCUM code. Empty when no risk model that is served uses the feature.' })
  unit!: string;

  @Field(() => GraphQLDateTime, { description: 'Time when the value was recorded.' })
  recordedAt!: Date;
}

/** Cost of a field that is decrypted for it. A cost of 1 is about 3 microseconds. */
const decryption = 10;

@ObjectType('Patient', { simpleResolvers: true, description: 'A person, identified by MRN within the organization.' })
export class PatientType {
  @Field(() => ID, { description: 'Id of the patient.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Medical record number. Null, with an error, for a caller who may not see who the patient is.',
    complexity: decryption,
  })
  mrn!: string | null;

  @Field(() => String, {
    nullable: true,
    complexity: decryption,
    description: 'Given name. Null when there is none; with an error, for a caller who may not see it.',
  })
  givenName!: string | null;

  @Field(() => String, {
    nullable: true,
    complexity: decryption,
    description: 'Family name. Null when there is none; with an error, for a caller who may not see it.',
  })
  familyName!: string | null;

  @Field(() => GraphQLLocalDate, {
    nullable: true,
    complexity: decryption,
    description: 'Date of birth. Null when there is none; with an error, for a caller who may not see it.',
  })
  birthDate!: string | null;

  @Field(() => Int, {
    nullable: true,
    complexity: decryption,
    description: 'Completed years. For a caller who may not see exact ages, 90 stands for 90 and more.',
  })
  age!: number | null;

  @Field(() => AdministrativeGender, {
    nullable: true,
    description: 'Null, with an error, for a caller who may not read patients.',
  })
  sex!: AdministrativeGender | null;

  @Field(() => [PatientFeature], {
    nullable: true,
    description: 'The latest value of each feature. Null, with an error, for a caller who may not read patients.',
  })
  features!: PatientFeature[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Usernames of the clinicians who may see the patient. Null: every clinician of the organization may.',
  })
  careTeam!: string[] | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'End of the time for which the caller sees the patient by breaking the glass. Null otherwise.',
  })
  breakGlassExpiresAt!: Date | null;

  @Field(() => Int, {
    description: 'Pass it to updatePatient. An update of an older version is refused with CONFLICT.',
  })
  version!: number;

  @Field(() => GraphQLDateTime, { description: 'Time when the patient was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'Time of the latest change.' })
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
  @Field(() => ID, { description: 'Id of the grant.' })
  id!: string;

  @Field(() => ID, { description: 'The patient who is visible by this grant.' })
  patientId!: string;

  @Field(() => String, { description: 'The clinician who broke the glass.' })
  username!: string;

  @Field(() => String, { description: 'The reason that the clinician gave.' })
  reason!: string;

  @Field(() => GraphQLDateTime, { description: 'Time when the grant began.' })
  grantedAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'Time when the grant ends.' })
  expiresAt!: Date;
}

export const BreakGlassAccessConnection = connectionType(BreakGlassAccessType, 'BreakGlassAccess');
export type BreakGlassAccessConnection = InstanceType<typeof BreakGlassAccessConnection>;

@ObjectType({ simpleResolvers: true, description: 'A patient that was erased.' })
export class DeletePatientPayload {
  @Field(() => ID, { description: 'Id of the patient that was erased, together with its predictions.' })
  id!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A patient that has another care team.' })
export class AssignCareTeamPayload {
  @Field(() => ID, { description: 'Id of the patient, of whom nothing else is shown.' })
  patientId!: string;
}
