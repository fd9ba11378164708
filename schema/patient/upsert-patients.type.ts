import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { AdministrativeGender } from '../../models/index.js';
import { FeatureValueInput } from './patient.input.js';
import { PatientType } from './patient.type.js';

@InputType({
  description:
    'A patient to create or to change. Absent fields do not change, null clears a field, and features are merged by code.',
})
export class UpsertPatientInput {
  @Field(() => String, {
    description: 'Medical record number. It decides which patient is changed, or that one is new.',
  })
  mrn!: string;

  @Field(() => String, { nullable: true, description: 'Null clears it.' })
  givenName?: string | null;

  @Field(() => String, { nullable: true, description: 'Null clears it.' })
  familyName?: string | null;

  // A text, and no LocalDate: a date that is wrong must refuse its own patient, and not the whole call.
  @Field(() => String, { nullable: true, description: 'ISO 8601 calendar date, YYYY-MM-DD. Null clears it.' })
  birthDate?: string | null;

  @Field(() => AdministrativeGender, { nullable: true, description: 'Null means UNKNOWN.' })
  sex?: AdministrativeGender | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Usernames of the enabled clinicians who may see the patient. Include your own. Null: every clinician of the ' +
      'organization may.',
  })
  careTeam?: string[] | null;

  @Field(() => [FeatureValueInput], { nullable: true, description: 'The values to set; a null value removes one.' })
  features?: FeatureValueInput[] | null;
}

export enum UpsertOutcome {
  CREATED = 'CREATED',
  UPDATED = 'UPDATED',
  UNCHANGED = 'UNCHANGED',
  REFUSED = 'REFUSED',
}
registerEnumType(UpsertOutcome, {
  name: 'UpsertOutcome',
  description: 'The outcome of one input of upsertPatients.',
  valuesConfig: {
    CREATED: { description: 'No patient had the MRN: there is a new one.' },
    UPDATED: { description: 'The patient with the MRN was changed.' },
    UNCHANGED: { description: 'The patient with the MRN had all of this already.' },
    REFUSED: { description: 'Nothing was written for this input: see its error.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'One wrong field of an input.' })
class InputIssue {
  @Field(() => String, { description: 'Place of the field, e.g. `inputs[3].features[1].value`.' })
  path!: string;

  @Field(() => String, { description: 'The reason. It never repeats the value.' })
  message!: string;
}

@ObjectType({ simpleResolvers: true, description: 'The reason why one input was refused.' })
class UpsertPatientError {
  @Field(() => String, { description: 'BAD_USER_INPUT, FORBIDDEN or CONFLICT, as in `extensions.code`.' })
  code!: string;

  @Field(() => String, { description: 'The reason and the remedy, in one line.' })
  message!: string;

  @Field(() => [InputIssue], {
    description: 'Every wrong field of the input. Empty unless the code is BAD_USER_INPUT.',
  })
  fields!: InputIssue[];
}

@ObjectType({ simpleResolvers: true, description: 'The result of one input of upsertPatients.' })
export class UpsertPatientResult {
  @Field(() => UpsertOutcome, { description: 'REFUSED has an error, every other outcome a patient.' })
  outcome!: UpsertOutcome;

  @Field(() => PatientType, { nullable: true, description: 'The patient as it is stored now. Null when REFUSED.' })
  patient!: PatientType | null;

  @Field(() => UpsertPatientError, { nullable: true, description: 'The reason when REFUSED, else null.' })
  error!: UpsertPatientError | null;
}
