import { Role } from '../../models/index.js';

/**
 * Every action, and the roles that may do it. All else is refused: a role that is not named, and an action that is not
 * listed. ADMIN sees no patient data.
 */
const permissions = {
  /** Patients without names, MRN and birth date. */
  'patient:read': [Role.CLINICIAN, Role.ANALYST],
  /** Names, MRN, birth date. */
  'patient:read-identity': [Role.CLINICIAN],
  /** Exact ages above 89. Other roles see those ages pooled. */
  'patient:read-exact-age': [Role.CLINICIAN, Role.SERVICE],
  'patient:write': [Role.CLINICIAN],
  'patient:delete': [Role.CLINICIAN],
  /** See a patient outside of the clinician's care team, after giving a reason. */
  'patient:break-glass': [Role.CLINICIAN],
  /** Give a patient another care team, without seeing the patient. */
  'care-team:assign': [Role.ADMIN],
  'prediction:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  /**
   * Check that computing a prediction again gives exactly the same values. The answer shows neither inputs nor outcome.
   */
  'prediction:verify': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'job:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'job:submit': [Role.CLINICIAN, Role.SERVICE],
  /** Cancel and retry jobs. */
  'job:control': [Role.CLINICIAN, Role.SERVICE, Role.ADMIN],
  'risk:simulate': [Role.CLINICIAN, Role.SERVICE],
  'audit:read': [Role.ADMIN],
  'model:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'viewer:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  /** Create, change, disable users; set their passwords; end their sessions. */
  'user:manage': [Role.ADMIN],
  'api-key:manage': [Role.ADMIN],
  /** See the keys that encrypt the organization's patient data, and have a new one made. */
  'encryption-key:rotate': [Role.ADMIN],
  /** See the state of the deployment. */
  'system:read': [Role.ADMIN],
  /** See the queues of the whole deployment. Only the organization of the operators may (QUEUE_PAGE_ORGANIZATION). */
  'queue:read': [Role.ADMIN],
  /** Pause and resume them, and run, promote or remove entries. MongoDB has the jobs, so none is lost. */
  'queue:control': [Role.ADMIN],
  /** Create, list and delete endpoints of webhooks, rotate their secrets, read and replay their deliveries. */
  'webhook:manage': [Role.SERVICE, Role.ADMIN],
  /** Change the caller's own password. */
  'password:change': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  /** End one of the caller's own sessions. With `user:manage`, one of any user. */
  'session:end': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof permissions;

export const actions = Object.keys(permissions) as readonly Action[];

/** The roles that may do an action. */
export function rolesThatMay(action: Action): readonly Role[] {
  return permissions[action];
}

/** Tells whether a role may do an action. */
export function mayRole(role: Role, action: Action): boolean {
  return rolesThatMay(action).includes(role);
}
