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

/**
 * Gives the stored explanation if it is the one that the caller asks for. Else the explanation is computed from the
 * stored inputs, by exactly the model that scored. Both must add up to the stored raw output.
 * @throws BadUserInputError, RiskGraphError NOT_FOUND, RiskGraphError INTERNAL
 */
export async function explanationOf(
  registry: RiskModelRegistry,
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
  const explanations = await ofAllClasses(model, prediction, asked);
  const rawOutput = prediction.classes?.[place]?.rawOutput ?? Number.NaN;
  return additive(toStoredExplanation(explanations[place]!), { rawOutput });
}

/** Explanations of all classes that one operation has asked for, so that each further class costs nothing. */
const computed = new WeakMap<Prediction, Map<ShapMethod, Promise<RowExplanation[]>>>();

function ofAllClasses(model: RiskModel, prediction: Prediction, method: ShapMethod): Promise<RowExplanation[]> {
  const byMethod = computed.get(prediction) ?? new Map<ShapMethod, Promise<RowExplanation[]>>();
  computed.set(prediction, byMethod);
  const known = byMethod.get(method);
  if (known) return known;
  const row = model.encode(prediction.inputs);
  const explanations = model.explainClasses([row], method).then(([ofRow]) => ofRow!);
  byMethod.set(method, explanations);
  return explanations;
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
