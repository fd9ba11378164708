import { GraphQLDateTime, GraphQLLocalDate } from 'graphql-scalars';
import { Field, Float, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { AdministrativeGender } from '../../models/index.js';
import type { PatientListOrder } from '../../src/patients/patient-service.js';
import { RiskBand } from '../risk-model/risk-model.type.js';

@InputType({ description: 'The value of one feature.' })
export class FeatureValueInput {
  @Field(() => String, { description: 'See riskModels { features { code } }.' })
  code!: string;

  @Field(() => Float, { nullable: true, description: 'In the unit of the risk model. Null removes the value.' })
  value!: number | null;
}

@InputType()
abstract class PatientFields {
  @Field(() => String, { nullable: true, description: 'Given name, up to 200 characters.' })
  givenName?: string | null;

  @Field(() => String, { nullable: true, description: 'Family name, up to 200 characters.' })
  familyName?: string | null;

  @Field(() => GraphQLLocalDate, { nullable: true, description: 'Not before 1850, and not in the future.' })
  birthDate?: string | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Usernames of the enabled clinicians who may see the patient. Include your own. Null: every clinician of the ' +
      'organization may.',
  })
  careTeam?: string[] | null;

  @Field(() => [FeatureValueInput], { nullable: true, description: 'Values of features, each code once, up to 1000.' })
  features?: FeatureValueInput[] | null;
}

@InputType({ description: 'A new patient.' })
export class CreatePatientInput extends PatientFields {
  @Field(() => String, { description: 'Medical record number, unique in the organization. Up to 64 characters.' })
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
  @Field(() => ID, { description: 'Id of the patient.' })
  id!: string;

  @Field(() => Int, {
    description: 'Patient.version that the change is based on. Another one is refused with CONFLICT.',
  })
  expectedVersion!: number;

  @Field(() => String, { nullable: true, description: 'Another medical record number.' })
  mrn?: string | null;

  @Field(() => AdministrativeGender, { nullable: true, description: 'Null stands for UNKNOWN.' })
  sex?: AdministrativeGender | null;
}

@InputType({ description: 'A patient and its new care team.' })
export class AssignCareTeamInput {
  @Field(() => ID, { description: 'Id of the patient.' })
  patientId!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Usernames of enabled clinicians. Null: every clinician of the organization may see the patient.',
  })
  careTeam?: string[] | null;
}

@InputType({ description: 'Give either patientId or mrn.' })
export class BreakGlassInput {
  @Field(() => ID, { nullable: true, description: 'Id of the patient.' })
  patientId?: string | null;

  @Field(() => String, { nullable: true, description: 'Medical record number of the patient.' })
  mrn?: string | null;

  @Field(() => String, {
    description: 'The reason why you need this patient, 10 to 500 characters. Reviewers read it.',
  })
  reason!: string;
}

@InputType({ description: 'All conditions must hold.' })
export class PatientFilter {
  @Field(() => String, { nullable: true, description: 'The whole medical record number.' })
  mrn?: string | null;

  @Field(() => String, { nullable: true, description: 'The whole name, in upper or lower case.' })
  familyName?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The first 2 to 12 characters of the MRN. Needs prefix search, which an operator switches on.',
  })
  mrnPrefix?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The first 2 to 10 characters of the family name, in upper or lower case. Needs prefix search, which an operator ' +
      'switches on. Not together with `mrnPrefix`.',
  })
  familyNamePrefix?: string | null;

  @Field(() => AdministrativeGender, {
    nullable: true,
    description: 'The administrative gender. It needs the right to read patients.',
  })
  sex?: AdministrativeGender | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Patients that were created after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Patients that were changed after this time.' })
  updatedAfter?: Date | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The model whose latest results the other conditions and the order are about: a RiskModel.modelId, or the ' +
      'RiskModel.id of one version. Alone: patients with a result of it. Absent: the WORKLIST_MODEL of the deployment, ' +
      'else the only model.',
  })
  latestModelId?: string | null;

  @Field(() => [RiskBand], { nullable: true, description: 'Any of these is the band of the latest result.' })
  latestRiskBands?: RiskBand[] | null;

  @Field(() => Float, { nullable: true, description: 'Lowest latest probability. Leaves out quantities.' })
  minimumLatestProbability?: number | null;

  @Field(() => Float, { nullable: true, description: 'Highest latest probability. Leaves out quantities.' })
  maximumLatestProbability?: number | null;
}

enum PatientOrderField {
  CREATED_AT = 'CREATED_AT',
  UPDATED_AT = 'UPDATED_AT',
  LATEST_PROBABILITY = 'LATEST_PROBABILITY',
  LATEST_QUANTITY = 'LATEST_QUANTITY',
}
enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(PatientOrderField, {
  name: 'PatientOrderField',
  description: 'The value by which patients are ordered.',
  valuesConfig: {
    CREATED_AT: { description: 'Time at which the patient was created.' },
    UPDATED_AT: { description: 'Time at which the patient was changed last.' },
    LATEST_PROBABILITY: {
      description:
        'Probability of the latest result: DESC gives the highest risk first. Lists only patients that have one of the ' +
        'model: see PatientFilter.latestModelId.',
    },
    LATEST_QUANTITY: { description: 'As LATEST_PROBABILITY, for a model that gives a quantity.' },
  },
});
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'The direction of a sort.',
  valuesConfig: {
    ASC: { description: 'Lowest or oldest first.' },
    DESC: { description: 'Highest or newest first.' },
  },
});

@InputType({ description: 'Newest first when absent.' })
export class PatientOrder {
  @Field(() => PatientOrderField, { description: 'The field to sort by.' })
  field!: PatientOrderField;

  @Field(() => OrderDirection, {
    nullable: true,
    defaultValue: OrderDirection.DESC,
    description: 'The direction of the sort.',
  })
  direction?: OrderDirection | null;
}

/** The stored field, or the latest answer, of each value of the enum. */
const orders = {
  CREATED_AT: { field: 'createdAt' },
  UPDATED_AT: { field: 'updatedAt' },
  LATEST_PROBABILITY: { latest: 'PROBABILITY' },
  LATEST_QUANTITY: { latest: 'QUANTITY' },
} as const;

export function toListOrder(order: PatientOrder | null | undefined): PatientListOrder | undefined {
  return order ? { ...orders[order.field], direction: order.direction === OrderDirection.ASC ? 1 : -1 } : undefined;
}
