/*
 * Predictions as a viewer reads, verifies and simulates them.
 *
 * How predictions are read:
 * 1. The viewer must be allowed to read predictions.
 * 2. They are found in the viewer's organization: on their own, or in blocks of a batch.
 * 3. Predictions of closed patients are left out.
 * 4. The reading is recorded, and only then the predictions are returned.
 *
 * How a risk is simulated:
 * 1. The viewer must be allowed to simulate, and the input must be valid.
 * 2. The patient, if one is named, is read: the viewer must be allowed to read patients, and must see this one. The
 *    reading is recorded.
 * 3. The given values replace those of the patient.
 * 4. The model scores and explains them. The explanation must add up. Nothing is stored.
 */
import type { Types } from 'mongoose';
import { type Prediction, type ScoringJob, type StoredExplanation, AdministrativeGender } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { NotFoundError } from '../errors.js';
import { checkAll, idOrNone, parseInput, toObjectId } from '../input.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { checkPage, type Page, type PageRequest } from '../scope/pagination.js';
import { type AccessById, visibleAmong, type CareTeamFence, refuseClosed } from '../patients/care-team-fence.js';
import { modelInputs, type ModelSubject } from '../patients/model-inputs.js';
import { refuseFeatures, type FeatureCatalogue } from '../patients/feature-catalogue.js';
import type { Patient } from '../scope/patient.js';
import { InvalidFeaturesError, type EncodedRow, type RiskModel, type RiskModelRegistry } from '../risk/risk-model.js';
import { simulateRiskSchema, type SimulateRisk } from './simulation-input.js';
import { invalidFeatures, requireModel } from './served-models.js';
import { followerName, shareReads } from './shared-reads.js';
import { visiblePredictions, storedPredictions } from './stored-predictions.js';
import type { PredictionFilter } from './prediction-filter.js';
import { checkPredictionFilter } from './prediction-filter-input.js';
import {
  createExplanationReader,
  createSimulationExplainer,
  refuseUnlessAdditive,
  type ExplanationRequest,
  type Simulation,
} from './explanation-request.js';
import { verifyPrediction, type PredictionVerification } from './verify-prediction.js';
import { readVisiblePage } from '../patients/visible-rows.js';

/**
 * Predictions of the viewer's organization, and what-if scores. All methods except `explanation` and
 * `explainSimulation` authorise first. These two take what another method has returned to the viewer.
 */
export interface PredictionService {
  find(viewer: Viewer | null, id: string): Promise<Prediction | null>;
  /** The predictions in the order of the ids; null for an id without a visible prediction. */
  findMany(viewer: Viewer | null, ids: readonly string[]): Promise<(Prediction | null)[]>;
  /**
   * Reads a new prediction for a subscriber. Subscribers share one read of it, and those of one user and address also
   * share the check of the care team and the audit event, when they ask within a second.
   * @returns null for an id without a visible prediction
   */
  followed(viewer: Viewer | null, id: string): Promise<Prediction | null>;
  list(viewer: Viewer | null, request: PageRequest, filter: PredictionFilter): Promise<Page<Prediction>>;
  /**
   * Counts the predictions that `list` would return for each patient, with one query per collection.
   * @returns the counts in the order of the ids
   */
  countOfPatients(viewer: Viewer | null, patientIds: readonly string[]): Promise<number[]>;
  /** Counts the predictions that `list` would return for each job. @returns the counts in the order of the ids */
  countOfJobs(viewer: Viewer | null, jobIds: readonly string[]): Promise<number[]>;
  /**
   * @param read what `readOfJob` has read a moment ago; without it, it is read now
   * @returns the prediction of a SINGLE job, or null while there is none
   */
  ofJob(
    viewer: Viewer | null,
    job: Pick<ScoringJob, '_id' | 'patient'>,
    read?: ReadPrediction,
  ): Promise<Prediction | null>;
  /**
   * Reads the prediction of a SINGLE job for `ofJob`. It must not be shown without that.
   * @param isExpected true when the job is known to have a prediction, which is about to be shown. Then the reading may be
   *   recorded at the same time
   */
  readOfJob(
    viewer: Viewer | null,
    job: Pick<ScoringJob, '_id' | 'patient'>,
    isExpected: boolean,
  ): Promise<ReadPrediction>;
  /**
   * Returns the stored explanation. If the job asked for none, or the caller asks for another method or class, the
   * explanation is computed from the stored inputs.
   * @throws BadUserInputError when the model has no such class or cannot be explained by the method; RiskGraphError
   *   NOT_FOUND when it was not stored and the model version is no longer served, INTERNAL when it does not add up
   */
  explanation(prediction: Prediction, request?: ExplanationRequest): Promise<StoredExplanation>;
  /** Computes a prediction again and compares. @returns null when the viewer may see no such prediction */
  verify(viewer: Viewer | null, id: string): Promise<PredictionVerification | null>;
  /**
   * Computes a what-if score. The inputs of the score show the patient's values, so a viewer who names a patient must
   * be allowed to read patients.
   * @throws BadUserInputError, NotFoundError, ForbiddenError (no right to read patients, patient outside the care team)
   */
  simulate(viewer: Viewer | null, input: SimulateRisk): Promise<Simulation>;
  /** Explains a simulation that this service has returned to the viewer. @throws BadUserInputError */
  explainSimulation(simulation: Simulation, request?: ExplanationRequest): Promise<StoredExplanation>;
}

/** A prediction that was read, and the viewer's access to its patient at that time. */
export interface ReadPrediction {
  readonly prediction: Prediction | null;
  readonly access: AccessById;
  /** The reading is on record, and the care team was not looked at: see `wasAllowed`. */
  readonly isRecorded?: true;
}

interface PredictionServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly fence: CareTeamFence;
  readonly registry: RiskModelRegistry;
  readonly catalogue: FeatureCatalogue;
  /** Tells whether the viewer was allowed to see the patient of the job within the last second. False if not known. */
  readonly wasAllowed: (viewer: Viewer, job: Types.ObjectId) => boolean;
}

export function createPredictionService({
  scopeOf,
  fence,
  registry,
  catalogue,
  wasAllowed,
}: PredictionServiceDependencies): PredictionService {
  /** Records that the viewer reads the predictions, and then returns them without those of closed patients. */
  const show = (viewer: Viewer, results: readonly (Prediction | null)[]): Promise<(Prediction | null)[]> =>
    fence.show(viewer, 'prediction:read', results);

  /** Shows one prediction that the viewer asked for by id. */
  async function showById(viewer: Viewer, action: Action, id: string): Promise<Prediction | null> {
    const _id = toObjectId(id);
    const stored = storedPredictions(scopeOf(viewer));
    const alone = _id && (await stored.findAlone(_id));
    const shown = await fence.showNamed(viewer, action, alone ?? (_id && (await stored.findInBlock(_id))) ?? null);
    // Blocks are read for an id without a prediction too: the time of the answer must not tell the two apart.
    if (alone && !shown) await stored.findInBlock(alone._id);
    return shown;
  }

  const readForAll = shareReads<string, Prediction>(
    (organizationId) => organizationId,
    (organizationId, ids) => storedPredictions(scopeOf({ organizationId })).findMany(ids.map(idOrNone)),
  );
  const showFollowed = shareReads<Viewer, Prediction>(followerName, async (viewer, ids) =>
    show(viewer, await Promise.all(ids.map((id) => readForAll(viewer.organizationId, id)))),
  );

  async function readOfJob(
    viewer: Viewer,
    { _id, patient }: Pick<ScoringJob, '_id' | 'patient'>,
  ): Promise<ReadPrediction> {
    const [prediction, access] = await Promise.all([
      patient ? storedPredictions(scopeOf(viewer)).ofJob(_id) : null,
      fence.accessTo(viewer, patient ? [patient] : []),
    ]);
    return { prediction, access };
  }

  /** @throws NotFoundError, ForbiddenError when the viewer is not in the patient's care team */
  async function patientToSimulate(viewer: Viewer, patientId: string): Promise<Patient> {
    const scope = scopeOf(viewer);
    const _id = idOrNone(patientId);
    const patient = await scope.patients.findOne({ _id });
    if (!patient) await refuseClosed(scope, { _id }, 'risk:simulate');
    if (!patient) throw new NotFoundError('This patient');
    await fence.show(viewer, 'risk:simulate', [{ patient: _id }]);
    return patient;
  }

  const readExplanation = createExplanationReader(registry);
  const explainSimulation = createSimulationExplainer();

  return {
    async find(viewer, id) {
      authorize(viewer, 'prediction:read');
      return showById(viewer, 'prediction:read', id);
    },

    async findMany(viewer, ids) {
      authorize(viewer, 'prediction:read');
      return show(viewer, await storedPredictions(scopeOf(viewer)).findMany(ids.map(idOrNone)));
    },

    async followed(viewer, id) {
      authorize(viewer, 'prediction:read');
      return showFollowed(viewer, id);
    },

    async list(viewer, request, filter) {
      authorize(viewer, 'prediction:read');
      const scope = scopeOf(viewer);
      const source = visiblePredictions(scope, viewer).list(filter);
      await checkAll(
        () => checkPredictionFilter(filter),
        () => checkPage(request, source.name),
      );
      return readVisiblePage(source, request, (predictions) => show(viewer, predictions));
    },

    async countOfPatients(viewer, patientIds) {
      authorize(viewer, 'prediction:read');
      const scope = scopeOf(viewer);
      const visible = await visibleAmong(scope, viewer, toObjectIds(patientIds));
      return countsOf(
        patientIds,
        visible.length === 0 ? new Map() : await storedPredictions(scope).countOfPatients(visible),
      );
    },

    async countOfJobs(viewer, jobIds) {
      authorize(viewer, 'prediction:read');
      const scope = scopeOf(viewer);
      return countsOf(jobIds, await visiblePredictions(scope, viewer).countOfJobs(toObjectIds(jobIds)));
    },

    async ofJob(viewer, job, read) {
      authorize(viewer, 'prediction:read');
      if (read?.isRecorded && wasAllowed(viewer, job._id)) return read.prediction;
      // After a second, the care team must be looked at again.
      const { prediction, access } = !read || read.isRecorded ? await readOfJob(viewer, job) : read;
      const [shown] = await fence.show(viewer, 'prediction:read', [prediction], access);
      return shown ?? null;
    },

    async readOfJob(viewer, job, isExpected) {
      authorize(viewer, 'prediction:read');
      const { _id, patient } = job;
      if (!isExpected || !patient || !wasAllowed(viewer, _id)) return readOfJob(viewer, job);
      const reading = storedPredictions(scopeOf(viewer)).ofJob(_id);
      const prediction = await fence.showWhileReading(viewer, 'prediction:read', patient, reading);
      return { prediction, access: () => 'ALLOWED', isRecorded: true };
    },

    explanation: (prediction, request = {}) => readExplanation(prediction, request),

    explainSimulation: (simulation, request = {}) => explainSimulation(simulation, request),

    async verify(viewer, id) {
      authorize(viewer, 'prediction:verify');
      const prediction = await showById(viewer, 'prediction:verify', id);
      if (!prediction) return null;
      return fence.afterShown(viewer, 'prediction:verify', prediction.patient, async () =>
        verifyPrediction(prediction, await registry.load(prediction.modelId, prediction.modelVersion)),
      );
    },

    async simulate(viewer, input) {
      authorize(viewer, 'risk:simulate');
      if (input.patientId != null) authorize(viewer, 'patient:read');
      const [{ patientId }, , model] = await checkAll(
        () => parseInput(simulateRiskSchema, input),
        () => refuseFeatures(catalogue, input.features),
        () => {
          const wanted = requireModel(registry, input.modelId, input.modelVersion);
          // Without a patient, every value that the model needs must be in the input.
          if (input.patientId == null) encode(wanted, unknownPatient, input.features ?? []);
          return wanted;
        },
      );
      const given = input.features ?? [];
      if (patientId == null) return simulate(model, unknownPatient, given);
      const patient = await patientToSimulate(viewer, patientId);
      return fence.afterShown(viewer, 'risk:simulate', patient._id, () => simulate(model, patient, given));
    },
  };
}

async function simulate(model: RiskModel, patient: ModelSubject, given: GivenFeatures): Promise<Simulation> {
  const row = encode(model, patient, given);
  const [[score], [explanation]] = await Promise.all([model.score([row]), model.explain([row])]);
  refuseUnlessAdditive(explanation!, score!);
  return { model, row, score: score!, explanation: explanation! };
}

/** The valid ids, each of them once. */
const toObjectIds = (ids: readonly string[]): Types.ObjectId[] =>
  [...new Set(ids)].flatMap((id) => toObjectId(id) ?? []);

const countsOf = (ids: readonly string[], counts: ReadonlyMap<string, number>): number[] =>
  ids.map((id) => counts.get(id) ?? 0);

const unknownPatient: ModelSubject = { sex: AdministrativeGender.UNKNOWN, features: [] };

type GivenFeatures = readonly { readonly code: string; readonly value: number | null }[];

/** Encodes the values of a patient, with the given ones in their place. @throws BadUserInputError */
function encode(model: RiskModel, patient: ModelSubject, given: GivenFeatures): EncodedRow {
  const values = Object.fromEntries(given.map(({ code, value }) => [code, value]));
  try {
    return model.encode({ ...modelInputs(model.manifest, patient, new Date()), ...values });
  } catch (error) {
    if (!(error instanceof InvalidFeaturesError)) throw error;
    const places = new Map(given.map(({ code }, position) => [code, `features[${position}].value`]));
    throw invalidFeatures(error, (code) => places.get(code) ?? 'features');
  }
}
