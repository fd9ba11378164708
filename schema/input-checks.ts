import type { z } from 'zod';
import type { App } from '../src/app.js';
import { authorize } from '../src/auth/authorize.js';
import type { Action } from '../src/auth/permissions.js';
import type { Viewer } from '../src/auth/viewer.js';
import type { FieldError } from '../src/errors.js';
import { issuesOf } from '../src/input.js';
import { submitBatchScoringJobSchema, submitScoringJobSchema } from '../src/jobs/job-input.js';
import { createPatientSchema, updatePatientSchema } from '../src/patients/patient-input.js';
import { simulateRiskSchema } from '../src/predictions/simulation-input.js';

interface InputCheck {
  readonly action: Action;
  readonly schema: z.ZodType;
}

const checks: Readonly<Record<string, InputCheck>> = {
  createPatient: { action: 'patient:write', schema: createPatientSchema },
  updatePatient: { action: 'patient:write', schema: updatePatientSchema },
  simulateRisk: { action: 'risk:simulate', schema: simulateRiskSchema },
  submitScoringJob: { action: 'job:submit', schema: submitScoringJobSchema },
  submitBatchScoringJob: { action: 'job:submit', schema: submitBatchScoringJobSchema },
};

/**
 * Finds the issues of the argument `input` of a root field, also of one whose types are wrong elsewhere. So a caller
 * learns of all issues in one round, although GraphQL stops at wrong types.
 * @returns a function of the input as the caller sent it, of any form. It finds nothing for a field without such a
 *   check, and for a viewer who may not use the field
 */
export function createInputIssues({
  catalogue,
}: Pick<App, 'catalogue'>): (viewer: Viewer | null, field: string, input: unknown) => readonly FieldError[] {
  return (viewer, field, input) => {
    const check = checks[field];
    if (!check || !isAllowed(viewer, check.action)) return [];
    const { features } = (input ?? {}) as { readonly features?: unknown };
    return [...issuesOf(check.schema, input), ...catalogue.issues(features, 'features')];
  };
}

function isAllowed(viewer: Viewer | null, action: Action): boolean {
  try {
    authorize(viewer, action);
    return true;
  } catch {
    return false;
  }
}
