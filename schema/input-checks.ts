import type { z } from 'zod';
import type { App } from '../src/app.js';
import { authorize } from '../src/auth/authorize.js';
import type { Action } from '../src/auth/permissions.js';
import type { Viewer } from '../src/auth/viewer.js';
import type { FieldError } from '../src/errors.js';
import { issuesOf } from '../src/input.js';
import { submitBatchScoringJobSchema, submitScoringJobSchema } from '../src/jobs/job-input.js';
import { patientListSchema } from '../src/patients/patient-filter.js';
import { createPatientSchema, updatePatientSchema } from '../src/patients/patient-input.js';
import { predictionListSchema } from '../src/predictions/prediction-filter-input.js';
import { simulateRiskSchema } from '../src/predictions/simulation-input.js';
import { pageIssues } from '../src/scope/pagination.js';

/** The action that a field needs, and a check of its arguments. The paths of the issues begin at the arguments. */
interface InputCheck {
  readonly action: Action;
  readonly schema: z.ZodType;
}

/** Mutations, and queries, that take one argument `input`. Its name is no part of a path. */
const checks: Readonly<Record<string, InputCheck>> = {
  createPatient: { action: 'patient:write', schema: createPatientSchema },
  updatePatient: { action: 'patient:write', schema: updatePatientSchema },
  simulateRisk: { action: 'risk:simulate', schema: simulateRiskSchema },
  submitScoringJob: { action: 'job:submit', schema: submitScoringJobSchema },
  submitBatchScoringJob: { action: 'job:submit', schema: submitBatchScoringJobSchema },
};

/** The arguments that make a field a list. */
const pageArguments = ['first', 'after', 'last', 'before'] as const;

/** Lists whose filter has rules of its own. */
const listChecks: Readonly<Record<string, InputCheck>> = {
  patients: { action: 'patient:read', schema: patientListSchema },
  predictions: { action: 'prediction:read', schema: predictionListSchema },
};

/**
 * Finds the issues of the arguments of a root field, also of one whose types are wrong elsewhere. So a caller learns of
 * all issues in one round, although GraphQL stops at wrong types.
 * @returns a function of the arguments as the caller sent them, of any form. It finds nothing for a field without such a
 *   check, and for a viewer who may not use the field
 */
export function createInputIssues({
  catalogue,
}: Pick<App, 'catalogue'>): (
  viewer: Viewer | null,
  field: string,
  sent: Readonly<Record<string, unknown>>,
) => readonly FieldError[] {
  return (viewer, field, sent) => {
    const list = listChecks[field];
    const ofFilter =
      list && isAllowed(viewer, list.action) ? issuesOf(list.schema, { filter: sent['filter'] ?? {} }) : [];
    if (viewer && pageArguments.some((name) => name in sent)) return [...ofFilter, ...pageIssues(sent)];
    if (list) return ofFilter;
    const check = checks[field];
    if (!check || !('input' in sent) || !isAllowed(viewer, check.action)) return [];
    const { input } = sent;
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
