import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  ID,
  Info,
  Query,
  Resolver,
  Root,
  Subscription,
  type SubscribeResolverData,
} from 'type-graphql';
import type { GraphQLResolveInfo } from 'graphql';
import type { Prediction } from '../../models/index.js';
import { authorize } from '../../src/auth/authorize.js';
import { NotFoundError } from '../../src/errors.js';
import { modelOfJob } from '../../src/predictions/served-models.js';
import { readEach, type StreamedPrediction } from '../../src/predictions/prediction-stream.js';
import type { PredictionService } from '../../src/predictions/prediction-service.js';
import type { RiskModelRegistry } from '../../src/risk/risk-model.js';
import { PageArguments, toConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import type { Rel } from '../common/rel.js';
import { wantsIdOnly } from '../common/selection.js';
import type { PatientMapper } from '../patient/patient.mapper.js';
import { PatientType } from '../patient/patient.type.js';
import { toRiskModel } from '../risk-model/risk-model.mapper.js';
import { RiskModelType, ShapMethod } from '../risk-model/risk-model.type.js';
import { toScoringJob } from '../scoring-job/scoring-job.mapper.js';
import { ScoringJobType } from '../scoring-job/scoring-job.type.js';
import { PredictionFilter, SimulateRiskInput } from './prediction.input.js';
import { toExplanation, toSimulation, type PredictionMapper } from './prediction.mapper.js';
import {
  Explanation,
  PredictionConnection,
  PredictionType,
  PredictionVerification,
  RiskSimulationType,
} from './prediction.type.js';

/**
 * The API of predictions. The service finds predictions, and the mapper pools ages for the viewer. Field resolvers read
 * patient, job, model and explanation only when a caller asks for them.
 */
@Resolver(() => PredictionType)
export class PredictionResolver {
  constructor(
    private readonly service: PredictionService,
    private readonly registry: RiskModelRegistry,
    private readonly toPatient: PatientMapper,
    private readonly toPrediction: PredictionMapper,
  ) {}

  @Query(() => PredictionType, {
    nullable: true,
    description: 'Finds a prediction. Null when there is none that this caller may see.',
  })
  async prediction(
    @Arg('id', () => ID, { description: 'Id of the prediction.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PredictionType | null> {
    const prediction = await this.service.find(viewer, id);
    return prediction && this.toPrediction(viewer)(prediction);
  }

  @Query(() => PredictionConnection, { description: 'Newest first.' })
  async predictions(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => PredictionFilter, { nullable: true, description: 'Absent: every prediction.' })
    filter: PredictionFilter | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<InstanceType<typeof PredictionConnection>> {
    // Removes repeated bands. Each row is compared with each band, so a long list would be costly.
    const riskBands = filter?.riskBands && [...new Set(filter.riskBands)];
    return toConnection(await this.service.list(viewer, page, { ...filter, riskBands }), this.toPrediction(viewer));
  }

  @Query(() => RiskSimulationType, {
    description: 'Scores feature values now, and stores nothing.',
    complexity: 500,
  })
  async simulateRisk(
    @Arg('input', () => SimulateRiskInput, { description: 'The values and the model.' }) input: SimulateRiskInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<RiskSimulationType> {
    return toSimulation(await this.service.simulate(viewer, input), viewer);
  }

  @Query(() => PredictionVerification, {
    nullable: true,
    description: 'Computes a stored prediction again, and compares every bit.',
    complexity: 500,
  })
  async verifyPrediction(
    @Arg('id', () => ID, { description: 'Id of the prediction.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PredictionVerification | null> {
    const verification = await this.service.verify(viewer, id);
    return verification && { ...verification, differences: [...verification.differences] };
  }

  @Subscription(() => PredictionType, {
    description:
      "Sends each new prediction of the caller's organization. `after` resumes behind an event, and also sends what was " +
      'stored since: nothing is missing, and nothing is sent twice. Predictions that the caller may not see are left out.',
    subscribe: ({ args, context }: SubscribeResolverData<StreamedPrediction, FollowedPredictions, OperationContext>) =>
      followPredictions(args, context),
  })
  predictionCreated(
    @Root() event: StreamedPrediction,
    @Arg('patientId', () => ID, { nullable: true, description: 'Only predictions of this patient.' })
    _patientId: string | null,
    @Arg('after', () => String, {
      nullable: true,
      description: '`cursor` of the last event that the caller has, of a subscription with the same `patientId`.',
    })
    _after: string | null,
    @Ctx() { viewer }: OperationContext,
  ): PredictionType {
    if ('error' in event) throw event.error;
    return Object.assign(this.toPrediction(viewer)(event.prediction), { event });
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The place in predictionCreated: pass it as `after`. Null outside of that subscription.',
  })
  cursor(@Root() { event }: PredictionType): string | null {
    return event?.cursor ?? null;
  }

  @FieldResolver(() => PatientType, {
    nullable: true,
    complexity: 65,
    description: 'Null, with an error, when the patient was erased or taken away meanwhile.',
  })
  async patient(
    @Root() { source, event }: PredictionType,
    @Ctx() { loaders, viewer }: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Rel<PatientType>> {
    // The prediction of an event was read now, so the viewer sees whose it is.
    if (event && wantsIdOnly(info)) return { id: source.patient.toHexString() } as PatientType;
    const patient = await loaders.patient.load(source.patient.toHexString());
    if (!patient) throw new NotFoundError('The patient of this prediction');
    return this.toPatient(patient, viewer);
  }

  @FieldResolver(() => ScoringJobType, {
    nullable: true,
    complexity: 40,
    description: 'Null, with an error, when the job has expired, or may not be seen by this caller.',
  })
  async job(@Root() { source }: PredictionType, @Ctx() { loaders }: OperationContext): Promise<Rel<ScoringJobType>> {
    const job = await loaders.job.load(source.job.toHexString());
    if (!job) throw new NotFoundError('The job of this prediction');
    return toScoringJob(job);
  }

  @FieldResolver(() => RiskModelType, {
    nullable: true,
    description: 'Null when the deployment no longer has this version. A retired version is still shown.',
  })
  async model(@Root() { source }: PredictionType): Promise<RiskModelType | null> {
    const model = await this.registry.load(source.modelId, source.modelVersion);
    return model ? toRiskModel(model) : null;
  }

  @FieldResolver(() => Explanation, {
    nullable: true,
    complexity: 15,
    description:
      'The stored explanation; another method or class is computed now. Null, with an error, when the deployment no ' +
      'longer has the model, or the values do not add up.',
  })
  async explanation(
    @Root() { source }: PredictionType,
    @Arg('method', () => ShapMethod, { nullable: true, description: 'Absent: the method of the stored explanation.' })
    method: ShapMethod | null,
    @Arg('class', () => String, {
      nullable: true,
      description: 'A name of RiskModel.classes. Absent: the class that gives the risk band.',
    })
    className: string | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<Explanation> {
    const model = await modelOfJob(this.registry, source);
    const given = model.manifest.features.map(({ code }) => source.inputs[code] ?? null);
    const explanation = await this.service.explanation(source, { method, className });
    return toExplanation(model, given, explainedScore(source, className), explanation, viewer);
  }
}

/** The score that the explanation of a class is about; without a class, that of the prediction. */
function explainedScore(prediction: Prediction, className: string | null): Parameters<typeof toExplanation>[2] {
  const ofClass = prediction.classes?.find(({ name }) => name === className);
  return ofClass ? { ...prediction, probability: ofClass.probability, className } : prediction;
}

/** The predictions that a subscriber asks for. */
interface FollowedPredictions {
  readonly patientId?: string | null;
  readonly after?: string | null;
}

/** Follows new predictions, and reads each one with the viewer's rights. */
async function followPredictions(
  { patientId, after }: FollowedPredictions,
  context: OperationContext,
): Promise<AsyncIterable<StreamedPrediction>> {
  const { viewer, loaders, readPrediction, predictionStreams, lastEventId } = context;
  authorize(viewer, 'prediction:read');
  const patient = patientId == null ? null : await loaders.patient.load(patientId);
  if (patientId != null && !patient) throw new NotFoundError('This patient');
  const stream = await predictionStreams.follow({
    follower: viewer,
    patientId: patient && patient._id.toHexString(),
    after: lastEventId ?? after ?? null,
  });
  context.startCursor = stream.start;
  return readEach(stream, readPrediction);
}
