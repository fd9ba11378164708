import { index, modelOptions, prop, Severity } from '@typegoose/typegoose';
import { Types, type mongo } from 'mongoose';

/** FHIR's administrative gender. https://hl7.org/fhir/valueset-administrative-gender.html */
export enum AdministrativeGender {
  MALE = 'MALE',
  FEMALE = 'FEMALE',
  OTHER = 'OTHER',
  UNKNOWN = 'UNKNOWN',
}

/** The latest value of one feature, in the unit of the risk models that use it. */
@modelOptions({ schemaOptions: { _id: false } })
export class RecordedFeature {
  @prop({ type: String, required: true })
  code!: string;

  @prop({ type: Number, required: true })
  value!: number;

  @prop({ type: Date, required: true })
  recordedAt!: Date;
}

/** A grant: one clinician may see this patient until the grant ends, after a break-glass access. */
@modelOptions({ schemaOptions: { _id: false } })
class BreakGlassGrant {
  @prop({ type: String, required: true })
  username!: string;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/** The newest result of one model: a copy of the parts of a prediction by which patients are listed. */
@modelOptions({ schemaOptions: { _id: false } })
export class LatestResult {
  /** Id of the prediction, or of the block that holds it. */
  @prop({ type: Types.ObjectId, required: true })
  source!: Types.ObjectId;

  /** Number of the row in the block. Absent for a prediction that is stored on its own. */
  @prop({ type: Number })
  number?: number;

  /** The probability, or the quantity in `unit`. */
  @prop({ type: Number, required: true })
  value!: number;

  /** UCUM code of a quantity. Absent for a probability. */
  @prop({ type: String })
  unit?: string;

  @prop({ type: String, required: true })
  riskBand!: string;

  @prop({ type: String, required: true })
  modelVersion!: string;

  /** Time of the prediction. */
  @prop({ type: Date, required: true })
  createdAt!: Date;
}

/** Name of the stored field that has the latest result of a model. @param modelId kebab-case, so it has no dots */
export const latestResultField = (modelId: string): `latestResults.${string}` => `latestResults.${modelId}`;

/** A text that is stored encrypted: see src/protection/field-cipher.ts. */
export type Ciphertext = mongo.Binary;

/**
 * A patient as the database holds it. The fields that identify a person are encrypted under the organization's data
 * key.
 * Only src/scope/patient-cipher.ts encrypts and decrypts them.
 */
@modelOptions({
  schemaOptions: { collection: 'patients', versionKey: false },
  options: { allowMixed: Severity.ALLOW },
})
@index({ organization: 1, mrnIndex: 1 }, { unique: true, partialFilterExpression: { mrnIndex: { $exists: true } } })
// Every list has an index for its filter and its order: see src/scope/patient-records.ts. The lists in the order of latest
// results have one per model, which src/patients/latest-conditions.ts makes.
@index(
  { organization: 1, familyNameIndex: 1, createdAt: -1, _id: -1 },
  { partialFilterExpression: { familyNameIndex: { $exists: true } } },
)
@index(
  { organization: 1, familyNameIndex: 1, updatedAt: -1, _id: -1 },
  { partialFilterExpression: { familyNameIndex: { $exists: true } } },
)
@index(
  { organization: 1, searchTokens: 1, createdAt: -1, _id: -1 },
  { partialFilterExpression: { searchTokens: { $exists: true } } },
)
@index(
  { organization: 1, searchTokens: 1, updatedAt: -1, _id: -1 },
  { partialFilterExpression: { searchTokens: { $exists: true } } },
)
@index({ organization: 1, sex: 1, createdAt: -1, _id: -1 })
@index({ organization: 1, sex: 1, updatedAt: -1, _id: -1 })
@index({ organization: 1, createdAt: -1, _id: -1 })
@index({ organization: 1, updatedAt: -1, _id: -1 })
@index({ organization: 1, dataKey: 1, _id: 1 })
@index({ organization: 1, _id: 1 })
@index({ organization: 1, careTeam: 1 }, { partialFilterExpression: { careTeam: { $exists: true } } })
@index({ organization: 1, formerCareTeam: 1 }, { partialFilterExpression: { formerCareTeam: { $exists: true } } })
export class StoredPatient {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  /** Id of the data key of all ciphertexts of this document. */
  @prop({ type: Types.ObjectId, required: true })
  dataKey!: Types.ObjectId;

  /** Medical record number. */
  @prop({ type: Buffer, required: true })
  mrn!: Ciphertext;

  /** Blind index of the MRN: see src/protection/blind-index.ts. */
  @prop({ type: String, required: true })
  mrnIndex!: string;

  @prop({ type: Buffer })
  givenName?: Ciphertext;

  @prop({ type: Buffer })
  familyName?: Ciphertext;

  /** Blind index of the family name. */
  @prop({ type: String })
  familyNameIndex?: string;

  /** Tokens of the beginnings of MRN and family name: see src/scope/search-tokens.ts. Absent: prefix search is off. */
  @prop({ type: () => [String], default: undefined })
  searchTokens?: string[];

  /** ISO 8601 calendar date, `1956-02-14`: a birth date has no time zone. */
  @prop({ type: Buffer })
  birthDate?: Ciphertext;

  @prop({ type: String, enum: AdministrativeGender, required: true })
  sex!: AdministrativeGender;

  @prop({ type: () => [RecordedFeature], required: true, default: [] })
  features!: RecordedFeature[];

  /**
   * Usernames of the clinicians who may see the patient. It is never empty. Absent: every clinician of the organization
   * may.
   */
  @prop({ type: () => [String], default: undefined })
  careTeam?: string[];

  /** The care team that the patient had until none of its members was an enabled clinician. One of them may return. */
  @prop({ type: () => [String], default: undefined })
  formerCareTeam?: string[];

  @prop({ type: () => [BreakGlassGrant], default: undefined })
  breakGlass?: BreakGlassGrant[];

  /** The newest result of each model, by the model's id: see src/predictions/latest-results.ts. Absent: none yet. */
  @prop({ type: () => Object })
  latestResults?: Record<string, LatestResult>;

  /** Number of writes so far. An update names the version that it has read. */
  @prop({ type: Number, required: true })
  version!: number;

  @prop({ type: Date, required: true })
  createdAt!: Date;

  @prop({ type: Date, required: true })
  updatedAt!: Date;
}

/** The fields that are stored encrypted, because they identify a person. */
export const sealedPatientFields = ['mrn', 'givenName', 'familyName', 'birthDate'] as const;

export type SealedPatientField = (typeof sealedPatientFields)[number];
