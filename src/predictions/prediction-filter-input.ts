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
  .refine(...rangeCheck('minimumProbability', 'maximumProbability'));

/** A filter as the argument of a list. */
export const predictionListSchema = z.object({ filter: predictionFilterSchema });

/** @throws BadUserInputError for a probability that is none, or a range that holds nothing */
export const checkPredictionFilter = (filter: PredictionFilter): void =>
  void parseInput(predictionListSchema, { filter });
