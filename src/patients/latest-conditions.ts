/*
 * Conditions on the latest result of a patient, and lists in its order. Each of them is about one model: the one that the
 * caller names, else that of WORKLIST_MODEL, else the only one there is.
 */
import { latestResultField, type Models } from '../../models/index.js';
import { BadUserInputError } from '../errors.js';
import { parseModelId } from '../risk/model-name.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import type { PageOrder } from '../scope/pagination.js';
import { worklistIndex, type PatientCondition } from '../scope/patient-records.js';
import { hasLatestConditions, type PatientFilter } from './patient-filter.js';

/** A list of patients in the order of the latest answer of a model. */
export interface LatestOrder {
  readonly latest: 'PROBABILITY' | 'QUANTITY';
  readonly direction: 1 | -1;
}

/** The part of a list that is about latest results, as MongoDB takes it. */
interface LatestList {
  readonly condition: PatientCondition;
  readonly order?: PageOrder;
}

/** Turns the conditions and the order that are about latest results into those of stored patients. */
export type LatestConditions = (filter: PatientFilter, order?: LatestOrder) => Promise<LatestList>;

/** Most models that have an index of their own for lists in the order of their results. */
const mostIndexedModels = 24;

/**
 * The model of lists that name none: the one of WORKLIST_MODEL, else the only one that is offered.
 * @returns its id; undefined when each list must name one
 */
export function worklistModelOf(
  registry: Pick<RiskModelRegistry, 'list'>,
  configured: string | undefined,
): string | undefined {
  const offered = new Set(registry.list().map(({ manifest }) => manifest.id));
  return configured ?? (offered.size === 1 ? [...offered][0] : undefined);
}

export function createLatestConditions({
  models: { patients },
  registry,
  worklistModel,
}: {
  readonly models: Pick<Models, 'patients'>;
  readonly registry: Pick<RiskModelRegistry, 'list' | 'manifests'>;
  /** Id of the model of lists that name none. */
  readonly worklistModel?: string;
}): LatestConditions {
  const indexed = new Map<string, Promise<unknown>>();

  /** Makes the index of a model, unless it is there. */
  function ensureIndex(modelId: string): Promise<unknown> {
    const known = indexed.get(modelId);
    if (known) return known;
    if (indexed.size >= mostIndexedModels)
      throw new BadUserInputError([
        { path: 'filter.latestModelId', message: `is not among the ${mostIndexedModels} models that have worklists` },
      ]);
    const made = patients.collection.createIndex(worklistIndex(modelId), {
      partialFilterExpression: { [`${latestResultField(modelId)}.value`]: { $exists: true } },
    });
    indexed.set(modelId, made);
    // A failed attempt is forgotten, so that the next caller tries again.
    made.catch(() => indexed.delete(modelId));
    return made;
  }

  function modelOf(named: string | null | undefined): { readonly modelId: string; readonly modelVersion?: string } {
    const known = new Set(registry.manifests().map(({ id }) => id));
    const model = named ?? worklistModelOf(registry, worklistModel);
    if (model === undefined) {
      const offered = [...new Set(registry.list().map(({ manifest }) => manifest.id))];
      throw new BadUserInputError([
        { path: 'filter.latestModelId', message: `must name one of the models: ${offered.join(', ')}` },
      ]);
    }
    const parsed = parseModelId(model);
    if (!known.has(parsed.modelId))
      throw new BadUserInputError([{ path: 'filter.latestModelId', message: 'names no risk model: see riskModels' }]);
    return parsed;
  }

  return async (filter, order) => {
    if (!order && !hasLatestConditions(filter)) return { condition: {} };
    const { modelId, modelVersion } = modelOf(filter.latestModelId);
    await ensureIndex(modelId);
    const field = latestResultField(modelId);
    const { minimumLatestProbability: minimum, maximumLatestProbability: maximum, latestRiskBands } = filter;
    const ofProbability = minimum != null || maximum != null || order?.latest === 'PROBABILITY';
    return {
      condition: {
        // The index holds only patients that have a result, so the condition must say so.
        [`${field}.value`]: {
          $exists: true,
          ...(minimum != null && { $gte: minimum }),
          ...(maximum != null && { $lte: maximum }),
        },
        ...(latestRiskBands != null && { [`${field}.riskBand`]: { $in: [...new Set(latestRiskBands)] } }),
        ...(modelVersion !== undefined && { [`${field}.modelVersion`]: modelVersion }),
        // A quantity has a unit, a probability has none.
        ...(ofProbability && { [`${field}.unit`]: { $exists: false } }),
        ...(order?.latest === 'QUANTITY' && !ofProbability && { [`${field}.unit`]: { $exists: true } }),
      } as PatientCondition,
      ...(order && { order: { field: `${field}.value`, direction: order.direction } }),
    };
  };
}
