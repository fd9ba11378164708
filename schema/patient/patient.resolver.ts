import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { PatientService } from '../../src/patients/patient-service.js';
import type { PredictionService } from '../../src/predictions/prediction-service.js';
import { PageArguments, toConnection, toNestedConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import type { PredictionMapper } from '../prediction/prediction.mapper.js';
import type { Rel } from '../common/rel.js';
import { PredictionConnection, PredictionType } from '../prediction/prediction.type.js';
import { latestPredictionOf } from '../../src/predictions/latest-results.js';
import { parseModelId } from '../../src/risk/model-name.js';
import { CreatePatientInput, PatientFilter, PatientOrder, toListOrder, UpdatePatientInput } from './patient.input.js';
import type { PatientMapper } from './patient.mapper.js';
import { DeletePatientPayload, PatientConnection, PatientType } from './patient.type.js';

@Resolver(() => PatientType)
export class PatientResolver {
  constructor(
    private readonly service: PatientService,
    private readonly predictionService: PredictionService,
    private readonly toPatient: PatientMapper,
    private readonly toPrediction: PredictionMapper,
  ) {}

  @Query(() => PatientType, {
    nullable: true,
    description: 'Finds a patient by id or by MRN. Null when there is none that this caller may see.',
  })
  async patient(
    @Arg('id', () => ID, { nullable: true, description: 'Id of the patient. Give either it or mrn.' })
    id: string | null,
    @Arg('mrn', () => String, { nullable: true, description: 'Medical record number. Give either it or id.' })
    mrn: string | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PatientType | null> {
    const patient = await this.service.find(viewer, { id, mrn });
    return patient && this.toPatient(patient, viewer);
  }

  @Query(() => PatientConnection, { description: 'The patients that the caller may see.' })
  async patients(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => PatientFilter, { nullable: true, description: 'Absent: every patient.' })
    filter: PatientFilter | null,
    @Arg('orderBy', () => PatientOrder, { nullable: true, description: 'Absent: newest first.' })
    orderBy: PatientOrder | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PatientConnection> {
    const found = await this.service.list(viewer, page, filter ?? {}, toListOrder(orderBy));
    return toConnection(found, (patient) => this.toPatient(patient, viewer));
  }

  @Mutation(() => PatientType, { description: 'Creates a patient. CONFLICT when the MRN is taken.' })
  async createPatient(
    @Arg('input', () => CreatePatientInput, { description: 'The patient to create.' }) input: CreatePatientInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PatientType> {
    return this.toPatient(await this.service.create(viewer, input), viewer);
  }

  @Mutation(() => PatientType, {
    description: 'Changes a patient. CONFLICT when it has changed since, or the MRN is taken.',
  })
  async updatePatient(
    @Arg('input', () => UpdatePatientInput, { description: 'The changes.' }) input: UpdatePatientInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PatientType> {
    return this.toPatient(await this.service.update(viewer, input), viewer);
  }

  @Mutation(() => DeletePatientPayload, {
    description: 'Erases the patient and its predictions, and cancels its unfinished jobs.',
  })
  async deletePatient(
    @Arg('id', () => ID, { description: 'Id of the patient.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<DeletePatientPayload> {
    await this.service.delete(viewer, id);
    return { id };
  }

  @FieldResolver(() => PredictionType, {
    nullable: true,
    complexity: 65,
    description: 'The newest prediction of the patient, by one model or by any. Null when there is none.',
  })
  async latestPrediction(
    @Root() { latestResults }: PatientType,
    @Arg('modelId', () => ID, {
      nullable: true,
      description: 'A RiskModel.modelId, or the RiskModel.id of one version. Absent: any model.',
    })
    modelId: string | null,
    @Ctx() { viewer, loaders }: OperationContext,
  ): Promise<Rel<PredictionType> | null> {
    const named = modelId == null ? undefined : parseModelId(modelId);
    const id = latestPredictionOf(latestResults, named?.modelId, named?.modelVersion);
    const prediction = id && (await loaders.prediction.load(id.toHexString()));
    return prediction ? this.toPrediction(viewer)(prediction) : null;
  }

  @FieldResolver(() => PredictionConnection, {
    nullable: true,
    description: 'Newest first. Null, with an error, for a caller who may not read predictions.',
  })
  predictions(
    @Root() { id }: PatientType,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer, loaders }: OperationContext,
  ): InstanceType<typeof PredictionConnection> {
    const read = () => this.predictionService.list(viewer, page, { patientId: id });
    return toNestedConnection(read, this.toPrediction(viewer), () => loaders.predictionCountOfPatient.load(id));
  }
}
