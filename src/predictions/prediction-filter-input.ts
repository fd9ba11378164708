import { z } from 'zod';
import { parseInput } from '../input.js';
import { probability, rangeCheck } from '../risk/probability-range.js';
import type { PredictionFilter } from './prediction-filter.js';

/** The rules of a filter that GraphQL's types do not have. */
const predictionFilterSchema = z
  .looseObject({
    minimumProbability: probability.nullish(),
    maximumProbability: probability.nullish(),
  })
  .refine(...rangeCheck('minimumProbability', 'maximumProbability'))
  .refine(({ modelId, modelVersion }) => modelVersion == null || modelId != null, {
    path: ['modelVersion'],
    message: 'is a version of no model without modelId: give modelId too',
    when: () => true,
  });

/** A filter as the argument of a list. */
export const predictionListSchema = z.object({ filter: predictionFilterSchema });

/** @throws BadUserInputError for a probability that is none, a range that holds nothing, or a version without a model */
export const checkPredictionFilter = (filter: PredictionFilter): void =>
  void parseInput(predictionListSchema, { filter });
