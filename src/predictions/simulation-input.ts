import { z } from 'zod';
import { boundedList } from '../input.js';

/** A risk model by its id and version, or by the name of a version. Without a version it is the default version. */
export const modelChoice = {
  modelId: z.string().min(1, 'must not be empty').max(105, 'must have at most 105 characters'),
  modelVersion: z.string().max(40, 'must have at most 40 characters').nullish(),
};

const simulatedFeatureSchema = z.object({
  code: z.string().max(64, 'must have at most 64 characters'),
  value: z.number('must be a finite number').nullable(),
});

export const simulateRiskSchema = z.object({
  ...modelChoice,
  patientId: z.string().nullish(),
  features: boundedList(simulatedFeatureSchema, 1000, 'must have at most 1000 features').nullish(),
});

export type SimulateRisk = z.input<typeof simulateRiskSchema>;
