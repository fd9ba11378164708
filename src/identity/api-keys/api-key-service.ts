import { Types } from 'mongoose';
import { z } from 'zod';
import { RevocationKind, Role, type ApiKey } from '../../../models/index.js';
import { type AuditTrail, recorded } from '../../audit/audit-trail.js';
import { NotFoundError } from '../../errors.js';
import { parseInput, toObjectId } from '../../input.js';
import type { ScopeOf } from '../../scope/organization-scope.js';
import { newestFirstIndex, readPage, type Page, type PageRequest } from '../../scope/pagination.js';
import { authorize } from '../../auth/authorize.js';
import { actions, mayRole, type Action } from '../../auth/permissions.js';
import type { Revoke } from '../revocation/revocations.js';
import type { Viewer } from '../../auth/viewer.js';
import { formatApiKey, hashSecret, newApiKeySecret } from './api-key-format.js';
import { defined } from '../../process/defined.js';

/** The actions of people: an API key has neither a password nor sessions. */
const ofPeople: readonly Action[] = ['password:change', 'session:end'];

/** The actions that an API key may be allowed: those of the role SERVICE, except those of people. */
export const apiKeyScopes: readonly Action[] = actions.filter(
  (action) => mayRole(Role.SERVICE, action) && !ofPeople.includes(action),
);

const createApiKeySchema = z.object({
  name: z.string().trim().min(1, 'must not be empty').max(100, 'must have at most 100 characters'),
  scopes: z
    .array(
      z
        .string()
        .refine(
          (scope) => (apiKeyScopes as readonly string[]).includes(scope),
          `must be one of ${apiKeyScopes.join(', ')}`,
        ),
    )
    .min(1, 'must name at least one action')
    .max(100, 'must name at most 100 actions')
    .transform((scopes) => [...new Set(scopes)] as Action[]),
  expiresAt: z
    .date()
    .refine((date) => date.getTime() > Date.now(), 'must be in the future')
    .nullish(),
});

export interface CreateApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Date | null;
}

/** The API keys of the viewer's organization. Every method authorises first. */
export interface ApiKeyService {
  /** Lists the keys, newest first. The audit event of a list names no single key. */
  list(viewer: Viewer | null, request: PageRequest): Promise<Page<ApiKey>>;
  /** Makes a key. @returns the key too: this is the only time it can be read. @throws BadUserInputError */
  create(viewer: Viewer | null, input: CreateApiKey): Promise<{ readonly key: string; readonly apiKey: ApiKey }>;
  /**
   * Revokes the key: every process refuses it within a second. Repeating the call does no harm.
   * @throws NotFoundError
   */
  revoke(viewer: Viewer | null, id: string): Promise<ApiKey>;
}

interface ApiKeyServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly revoke: Revoke;
  readonly audit: AuditTrail;
}

export function createApiKeyService({ scopeOf, revoke, audit }: ApiKeyServiceDependencies): ApiKeyService {
  const entry = (id: Types.ObjectId) =>
    ({ action: 'api-key:manage', subject: { kind: 'API_KEY', id: id.toHexString() } }) as const;
  return {
    async list(viewer, request) {
      authorize(viewer, 'api-key:manage');
      const page = await readPage<ApiKey>(scopeOf(viewer).apiKeys, { filter: {}, index: newestFirstIndex }, request);
      await audit.record(viewer, { action: 'api-key:manage', outcome: 'ALLOWED' });
      return page;
    },

    async create(viewer, input) {
      authorize(viewer, 'api-key:manage');
      const { name, scopes, expiresAt } = parseInput(createApiKeySchema, input);
      const _id = new Types.ObjectId();
      const secret = newApiKeySecret();
      const apiKey = defined({
        _id,
        name,
        scopes,
        secretHash: hashSecret(secret),
        createdAt: new Date(),
        createdBy: viewer.username,
        expiresAt: expiresAt ?? undefined,
      });
      return recorded(audit, viewer, entry(_id), async () => ({
        key: formatApiKey(_id.toHexString(), secret),
        apiKey: await scopeOf(viewer).apiKeys.insert(apiKey),
      }));
    },

    async revoke(viewer, id) {
      authorize(viewer, 'api-key:manage');
      const _id = toObjectId(id);
      const { apiKeys, id: organization } = scopeOf(viewer);
      const present = _id && (await apiKeys.findOne({ _id }));
      if (!present) throw new NotFoundError('This API key');
      return recorded(audit, viewer, entry(present._id), async () => {
        await apiKeys.findOneAndUpdate(
          { _id: present._id, revokedAt: { $exists: false } },
          { $set: { revokedAt: new Date() } },
        );
        // Repeated if the key is revoked already: the earlier call may have failed before this step.
        await revoke(organization, [{ kind: RevocationKind.API_KEY, subject: present._id.toHexString() }]);
        return (await apiKeys.findOne({ _id: present._id })) ?? present;
      });
    },
  };
}
