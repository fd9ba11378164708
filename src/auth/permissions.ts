import { Role } from '../../models/index.js';
import { ForbiddenError, UnauthenticatedError } from '../errors.js';
import type { Viewer } from './viewer.js';

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

/** Whether the role may do it. */
export function mayRole(role: Role, action: Action): boolean {
  return (permissions[action] as readonly Role[]).includes(role);
}

/** Whether the viewer may: the role, and for an API key its scopes too. */
export function mayViewer({ role, scopes }: Pick<Viewer, 'role' | 'scopes'>, action: Action): boolean {
  return mayRole(role, action) && (scopes === undefined || scopes.includes(action));
}

/**
 * Refuses a caller who may not do it; services call this before anything else.
 * @throws UnauthenticatedError without a viewer, ForbiddenError for a role that is not allowed
 */
export function authorize(viewer: Viewer | null, action: Action): asserts viewer is Viewer {
  if (!viewer) throw new UnauthenticatedError();
  if (!mayRole(viewer.role, action)) {
    throw new ForbiddenError(`The role ${viewer.role} may not do ${action}: ask for a token of the role ${permissions[action].join(' or ')}.`, action);
  }
  if (!mayViewer(viewer, action)) throw new ForbiddenError(`This API key may not do ${action}: use one with that scope.`, action);
}
