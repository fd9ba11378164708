import { Role } from '../../models/index.js';

/**
 * Every action there is, and the roles that may do it. A role that is not named is refused, and so is an action that
 * is not listed: deny is the default. ADMIN sees no patient data.
 */
const permissions = {
  /** Patients without names, MRN and birth date. */
  'patient:read': [Role.CLINICIAN, Role.ANALYST],
  /** Names, MRN, birth date. */
  'patient:read-identity': [Role.CLINICIAN],
  /** Ages above 89, which are pooled otherwise. */
  'patient:read-exact-age': [Role.CLINICIAN, Role.SERVICE],
  'patient:write': [Role.CLINICIAN],
  'patient:delete': [Role.CLINICIAN],
  /** Open a patient outside of one's care team, with a reason. */
  'patient:break-glass': [Role.CLINICIAN],
  'prediction:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  /** Whether a prediction can be computed again to the bit; shows neither inputs nor outcome. */
  'prediction:verify': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'job:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'job:submit': [Role.CLINICIAN, Role.SERVICE],
  /** Cancel and retry. */
  'job:control': [Role.CLINICIAN, Role.SERVICE, Role.ADMIN],
  'risk:simulate': [Role.CLINICIAN, Role.SERVICE],
  'audit:read': [Role.ADMIN],
  'model:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  'viewer:read': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
  /** Create, change, disable users; set their passwords; end their sessions. */
  'user:manage': [Role.ADMIN],
  'api-key:manage': [Role.ADMIN],
  /** One's own. */
  'password:change': [Role.CLINICIAN, Role.ANALYST, Role.SERVICE, Role.ADMIN],
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof permissions;

export const actions = Object.keys(permissions) as readonly Action[];

/** The roles that may do it. */
export function rolesThatMay(action: Action): readonly Role[] {
  return permissions[action];
}

/** Whether the role may do it. */
export function mayRole(role: Role, action: Action): boolean {
  return rolesThatMay(action).includes(role);
}
