import type { Prediction, StoredExplanation } from '../../models/index.js';
import { BadUserInputError, RiskGraphError } from '../errors.js';
import type {
  EncodedRow,
  RiskModel,
  RiskModelRegistry,
  RowExplanation,
  Score,
  ShapMethod,
} from '../risk/risk-model.js';
import { additivityFailure, toStoredExplanation, type AdditiveExplanation } from './explanation.js';
import { modelOfJob } from './served-models.js';

/** The explanation of a prediction that a caller asks for. */
export interface ExplanationRequest {
  /** Absent: the method of the stored explanation, else the model's default. */
  readonly method?: ShapMethod | null;
  /** Absent: the class that gives the risk band. */
  readonly className?: string | null;
}

/** A row that was scored, and what is known of its explanation. */
interface ScoredRow {
  readonly model: RiskModel;
  readonly row: () => EncodedRow;
  readonly rawOutput: number;
  /** The raw output of each class. */
  readonly rawOutputs?: readonly number[] | undefined;
  readonly known: StoredExplanation | null | undefined;
  /** Explains every class of the row; computed once for all requests. */
  readonly ofClasses: (method: ShapMethod) => Promise<readonly RowExplanation[]>;
}

/** Gives what is known if it is what the caller asks for. Else it is computed by the model that scored. */
async function explainRow(scored: ScoredRow, { method, className }: ExplanationRequest): Promise<StoredExplanation> {
  const { model, row, known, rawOutput, rawOutputs } = scored;
  const asked = method ?? known?.method ?? model.shapMethods[0]!;
  if (!model.shapMethods.includes(asked)) throw methodRefusal(model, asked);
  const { classes = [], riskClass } = model.manifest;
  if (className != null && !classes.includes(className)) throw classRefusal(model);
  if (className == null || className === riskClass) {
    if (known?.method === asked) return additive(known, { rawOutput });
    const [explanation] = await model.explain([row()], asked);
    return additive(toStoredExplanation(explanation!), { rawOutput });
  }
  const place = classes.indexOf(className);
  const explanations = await scored.ofClasses(asked);
  return additive(toStoredExplanation(explanations[place]!), { rawOutput: rawOutputs?.[place] ?? Number.NaN });
}

/** Explains predictions. @throws BadUserInputError, RiskGraphError NOT_FOUND, RiskGraphError INTERNAL */
type ReadExplanation = (prediction: Prediction, request: ExplanationRequest) => Promise<StoredExplanation>;

/**
 * Gives the stored explanation if it is the one that the caller asks for. Else the explanation is computed from the
 * stored inputs, by exactly the model that scored. Both must add up to the stored raw output. What was computed is
 * remembered with the prediction: followers share it, and each further class costs nothing.
 */
export function createExplanationReader(registry: RiskModelRegistry): ReadExplanation {
  const read = sharedByName<StoredExplanation>();
  const ofClasses = sharedByName<RowExplanation[]>();

  async function explain(prediction: Prediction, request: ExplanationRequest): Promise<StoredExplanation> {
    const { explanation: known, rawOutput, classes } = prediction;
    // The stored explanation needs no model: the deployment may no longer have it.
    if (request.className == null && known && (request.method ?? known.method) === known.method)
      return additive(known, prediction);
    const model = await modelOfJob(registry, prediction);
    const row = (): EncodedRow => model.encode(prediction.inputs);
    return explainRow(
      {
        model,
        row,
        rawOutput,
        rawOutputs: classes?.map((one) => one.rawOutput),
        known,
        ofClasses: (method) => ofClasses(prediction, method, () => explainClasses(model, row(), method)),
      },
      request,
    );
  }

  return (prediction, request) =>
    read(prediction, JSON.stringify([request.method, request.className]), () => explain(prediction, request));
}

/** A score that was computed for the caller and is not stored. */
export interface Simulation {
  readonly model: RiskModel;
  readonly row: EncodedRow;
  readonly score: Score;
  readonly explanation: RowExplanation;
}

/** Explains simulations as `createExplanationReader` explains predictions. */
export function createSimulationExplainer(): (
  simulation: Simulation,
  request: ExplanationRequest,
) => Promise<StoredExplanation> {
  const ofClasses = sharedByName<RowExplanation[]>();
  return (simulation, request) => {
    const { model, row, score, explanation } = simulation;
    return explainRow(
      {
        model,
        row: () => row,
        rawOutput: score.rawOutput,
        rawOutputs: score.classes?.rawOutputs,
        known: toStoredExplanation(explanation),
        ofClasses: (method) => ofClasses(simulation, method, () => explainClasses(model, row, method)),
      },
      request,
    );
  };
}

async function explainClasses(model: RiskModel, row: EncodedRow, method: ShapMethod): Promise<RowExplanation[]> {
  const [ofRow] = await model.explainClasses([row], method);
  return ofRow!;
}

/** Computes a value of an object once, for as long as the object is held. */
function sharedByName<T>(): (owner: object, name: string, compute: () => Promise<T>) => Promise<T> {
  const shared = new WeakMap<object, Map<string, Promise<T>>>();
  return (owner, name, compute) => {
    const values = shared.get(owner) ?? new Map<string, Promise<T>>();
    shared.set(owner, values);
    const value = values.get(name) ?? compute();
    values.set(name, value);
    return value;
  };
}

/** Stored explanations are checked too, so that a viewer never gets a damaged one. @throws RiskGraphError INTERNAL */
export function refuseUnlessAdditive(explanation: AdditiveExplanation, score: Pick<Score, 'rawOutput'>): void {
  const failure = additivityFailure(explanation, score);
  if (failure) throw new RiskGraphError('INTERNAL', failure.message);
}

function additive(explanation: StoredExplanation, score: Pick<Score, 'rawOutput'>): StoredExplanation {
  refuseUnlessAdditive(explanation, score);
  return explanation;
}

function methodRefusal({ manifest, shapMethods }: RiskModel, asked: ShapMethod): BadUserInputError {
  const reason =
    asked === 'INTERVENTIONAL'
      ? 'has no background set'
      : 'has neither counts of training rows at its nodes nor a background set';
  const message = `${manifest.id}@${manifest.version} ${reason}: ask for ${shapMethods.join(' or ')}`;
  return new BadUserInputError([{ path: 'method', message }]);
}

function classRefusal({ manifest: { id, version, classes } }: RiskModel): BadUserInputError {
  const message = classes
    ? `must be one of ${classes.join(', ')}`
    : `${id}@${version} has no classes: leave the argument out`;
  return new BadUserInputError([{ path: 'class', message }]);
}
