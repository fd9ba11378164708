import { jwtVerify, type JWTPayload } from 'jose';
import type { Logger } from 'pino';
import { z } from 'zod';
import { LRUCache } from 'lru-cache';
import type { Models, Organization } from '../../../models/index.js';
import { ServiceUnavailableError, UnauthenticatedError } from '../../errors.js';
import { validity } from '../access-token.js';
import { isSlug } from '../../config/slug.js';
import type { Identity } from '../../auth/viewer.js';
import { createIssuerKeys, IssuerKeysUnavailableError } from './issuer-keys.js';
import { readClaims } from './oidc-claims.js';
import type { OidcSettings } from '../../config/oidc-settings.js';
import { logError } from '../../process/logger.js';

/** For `nbf`: a token may reach us before our clock has reached its beginning. Its end is taken to the letter. Seconds. */
const clockToleranceSeconds = 5;
/** Users remembered as noted. One that is forgotten is noted again. */
const mostNoted = 10_000;

/** Verifies the tokens of a hospital's own identity provider (OpenID Connect). */
export interface OidcVerifier {
  /** The issuer whose tokens it takes. */
  readonly issuer: string;
  /** @throws UnauthenticatedError; ServiceUnavailableError when the issuer's keys cannot be had */
  verify(token: string): Promise<Identity>;
}

const timesSchema = z.object({ iat: z.number(), exp: z.number() });

/**
 * The algorithms are pinned to asymmetric ones, so that neither `alg: none` nor an HMAC over a public key passes, and the
 * issuer's JWKS is the only source of keys: what a token says in `jwk`, `jku` or `x5u` is not looked at (RFC 8725).
 */
export function createOidcVerifier(
  settings: OidcSettings,
  models: Pick<Models, 'organizations' | 'users'>,
  logger: Logger,
): OidcVerifier {
  const keys = createIssuerKeys(settings.jwksUri, logger);
  const organizationIds = new Map<string, string>();
  const noted = new LRUCache<string, true>({ max: mostNoted });

  async function verifySignature(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [...settings.algorithms],
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ['exp', 'iat'],
        clockTolerance: clockToleranceSeconds,
      });
      return payload;
    } catch (error) {
      if (!(error instanceof IssuerKeysUnavailableError)) throw refused();
      throw new ServiceUnavailableError('The identity provider does not hand out its keys: try again in a moment.');
    }
  }

  async function organizationIdOf(slug: string): Promise<string> {
    if (settings.organizations && !settings.organizations.includes(slug)) {
      // The signature is good: either the provider or the setting is wrong, and somebody has to know.
      logger.warn(
        { issuer: settings.issuer, ...(isSlug(slug) && { organization: slug }) },
        'the OIDC issuer speaks for an organization that is not in OIDC_ORGANIZATIONS',
      );
      throw refused();
    }
    const known = organizationIds.get(slug);
    if (known) return known;
    // Organizations are made on the command line, never by a token.
    const organization = await models.organizations
      .findOne({ slug }, { _id: 1 })
      .lean<Pick<Organization, '_id'> | null>();
    if (!organization) throw refused();
    const id = organization._id.toHexString();
    organizationIds.set(slug, id);
    return id;
  }

  /** So that an administrator finds who has come this way, and can shut them out. Nobody waits for it. */
  function note({ username, role, organizationId }: Identity): void {
    const key = `${organizationId} ${username}`;
    if (noted.has(key)) return;
    noted.set(key, true);
    models.users
      .updateOne(
        { organization: organizationId, username },
        { $setOnInsert: { role, createdAt: new Date() } },
        { upsert: true },
      )
      .exec()
      .catch((error: unknown) => {
        noted.delete(key);
        logError(logger, error, 'OIDC user not noted', { level: 'debug' });
      });
  }

  return {
    issuer: settings.issuer,
    async verify(token) {
      const payload = await verifySignature(token);
      const { organizationSlug, username, role, times } = orRefused(() => ({
        ...readClaims(payload, settings),
        times: validity(timesSchema.parse(payload)),
      }));
      const identity = { username, role, organizationId: await organizationIdOf(organizationSlug), ...times };
      note(identity);
      return identity;
    },
  };
}

/** One answer for all: a caller is not told how near a forgery came. */
const refused = (): UnauthenticatedError =>
  new UnauthenticatedError('The access token is not valid or has expired: get a new one.');

function orRefused<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw refused();
  }
}
