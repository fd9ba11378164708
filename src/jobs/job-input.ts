import { z } from 'zod';
import { patientFilterSchema } from '../patients/patient-filter.js';
import { modelChoice } from '../predictions/simulation-input.js';

/** The options that jobs of every kind have. */
export const jobOptions = {
  ...modelChoice,
  idempotencyKey: z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters').nullish(),
  priority: z
    .number()
    .int('must be a whole number')
    .min(0, 'must be from 0 to 10')
    .max(10, 'must be from 0 to 10')
    .nullish(),
  explain: z.boolean().nullish(),
};

export const submitScoringJobSchema = z.object({ ...jobOptions, patientId: z.string() });

export type SubmitScoringJob = z.input<typeof submitScoringJobSchema>;

/** Most patients that a batch may name by their ids. Larger batches use `filter` or `all`. */
const largestPatientList = 100_000;

export const submitBatchScoringJobSchema = z
  .object({
    ...jobOptions,
    patientIds: z
      .array(z.string())
      .min(1, 'must not be empty')
      .max(largestPatientList, `must name at most ${largestPatientList} patients`)
      .nullish(),
    filter: patientFilterSchema.nullish(),
    all: z.boolean().nullish(),
  })
  .refine(
    ({ patientIds, filter, all }) => [patientIds != null, filter != null, all === true].filter(Boolean).length === 1,
    {
      path: ['patientIds'],
      message: 'give exactly one of patientIds, filter, or all: true',
    },
  );

export type SubmitBatchScoringJob = z.input<typeof submitBatchScoringJobSchema>;
