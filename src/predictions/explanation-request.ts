import type { Prediction, StoredExplanation } from '../../models/index.js';
import { BadUserInputError, RiskGraphError } from '../errors.js';
import type { RiskModel, RiskModelRegistry, RowExplanation, Score, ShapMethod } from '../risk/risk-model.js';
import { additivityFailure, toStoredExplanation, type AdditiveExplanation } from './explanation.js';
import { modelOfJob } from './served-models.js';

/** The explanation of a prediction that a caller asks for. */
export interface ExplanationRequest {
  /** Absent: the method of the stored explanation, else the model's default. */
  readonly method?: ShapMethod | null;
  /** Absent: the class that gives the risk band. */
  readonly className?: string | null;
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

  async function explain(
    prediction: Prediction,
    { method, className }: ExplanationRequest,
  ): Promise<StoredExplanation> {
    const stored = prediction.explanation;
    if (className == null && stored && (method ?? stored.method) === stored.method) return additive(stored, prediction);
    const model = await modelOfJob(registry, prediction);
    const asked = method ?? stored?.method ?? model.shapMethods[0]!;
    if (!model.shapMethods.includes(asked)) throw methodRefusal(model, asked);
    const { classes = [], riskClass } = model.manifest;
    if (className != null && !classes.includes(className)) throw classRefusal(model);
    if (className == null || className === riskClass) {
      if (stored?.method === asked) return additive(stored, prediction);
      const [explanation] = await model.explain([model.encode(prediction.inputs)], asked);
      return additive(toStoredExplanation(explanation!), prediction);
    }
    const place = classes.indexOf(className);
    const explanations = await ofClasses(prediction, asked, () => explainClasses(model, prediction, asked));
    const rawOutput = prediction.classes?.[place]?.rawOutput ?? Number.NaN;
    return additive(toStoredExplanation(explanations[place]!), { rawOutput });
  }

  return (prediction, request) =>
    read(prediction, JSON.stringify([request.method, request.className]), () => explain(prediction, request));
}

async function explainClasses(model: RiskModel, prediction: Prediction, method: ShapMethod): Promise<RowExplanation[]> {
  const [ofRow] = await model.explainClasses([model.encode(prediction.inputs)], method);
  return ofRow!;
}

/** Computes a value of a prediction once, for as long as somebody holds the prediction. */
function sharedByName<T>(): (prediction: Prediction, name: string, compute: () => Promise<T>) => Promise<T> {
  const shared = new WeakMap<Prediction, Map<string, Promise<T>>>();
  return (prediction, name, compute) => {
    const values = shared.get(prediction) ?? new Map<string, Promise<T>>();
    shared.set(prediction, values);
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
