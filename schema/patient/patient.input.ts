import { GraphQLDateTime, GraphQLLocalDate } from 'graphql-scalars';
import { Field, Float, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { AdministrativeGender } from '../../models/index.js';
import type { PageOrder } from '../../src/scope/pagination.js';

@InputType()
export class FeatureValueInput {
  @Field(() => String, { description: 'See riskModels { features { code } }.' })
  code!: string;

  @Field(() => Float, { nullable: true, description: 'In the unit of the risk model. Null removes the value.' })
  value!: number | null;
}

@InputType()
abstract class PatientFields {
  @Field(() => String, { nullable: true })
  givenName?: string | null;

  @Field(() => String, { nullable: true })
  familyName?: string | null;

  @Field(() => GraphQLLocalDate, { nullable: true })
  birthDate?: string | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Usernames of the enabled clinicians who may see the patient. Include your own. Null: every clinician of the ' +
      'organization may.',
  })
  careTeam?: string[] | null;

  @Field(() => [FeatureValueInput], { nullable: true })
  features?: FeatureValueInput[] | null;
}

@InputType()
export class CreatePatientInput extends PatientFields {
  @Field(() => String)
  mrn!: string;

  @Field(() => AdministrativeGender, { nullable: true, description: 'UNKNOWN when absent.' })
  sex?: AdministrativeGender | null;
}

@InputType({
  description:
    'Absent fields do not change. Null clears a field: sex becomes UNKNOWN, and an MRN cannot be cleared. ' +
    'Features are merged by code.',
})
export class UpdatePatientInput extends PatientFields {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  expectedVersion!: number;

  @Field(() => String, { nullable: true })
  mrn?: string | null;

  @Field(() => AdministrativeGender, { nullable: true })
  sex?: AdministrativeGender | null;
}

@InputType()
export class AssignCareTeamInput {
  @Field(() => ID)
  patientId!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Usernames of enabled clinicians. Null: every clinician of the organization may see the patient.',
  })
  careTeam?: string[] | null;
}

@InputType({ description: 'Give either patientId or mrn.' })
export class BreakGlassInput {
  @Field(() => ID, { nullable: true })
  patientId?: string | null;

  @Field(() => String, { nullable: true })
  mrn?: string | null;

  @Field(() => String, {
    description: 'The reason why you need this patient, 10 to 500 characters. Reviewers read it.',
  })
  reason!: string;
}

@InputType({ description: 'All conditions must hold.' })
export class PatientFilter {
  @Field(() => String, { nullable: true })
  mrn?: string | null;

  @Field(() => String, { nullable: true, description: 'The whole name, in upper or lower case.' })
  familyName?: string | null;

  @Field(() => AdministrativeGender, { nullable: true })
  sex?: AdministrativeGender | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true })
  updatedAfter?: Date | null;
}

enum PatientOrderField {
  CREATED_AT = 'CREATED_AT',
  UPDATED_AT = 'UPDATED_AT',
}
enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(PatientOrderField, { name: 'PatientOrderField' });
registerEnumType(OrderDirection, { name: 'OrderDirection' });

@InputType({ description: 'Newest first when absent.' })
export class PatientOrder {
  @Field(() => PatientOrderField)
  field!: PatientOrderField;

  @Field(() => OrderDirection, { nullable: true, defaultValue: OrderDirection.DESC })
  direction?: OrderDirection | null;
}

export function toPageOrder(order: PatientOrder | null | undefined): PageOrder | undefined {
  if (!order) return undefined;
  const field = order.field === PatientOrderField.CREATED_AT ? 'createdAt' : 'updatedAt';
  return { field, direction: order.direction === OrderDirection.ASC ? 1 : -1 };
}
