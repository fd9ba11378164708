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
import { isOtherToken, readClaims, tokenType } from './oidc-claims.js';
import type { OidcSettings } from '../../config/oidc-settings.js';
import { logError } from '../../process/logger.js';

/**
 * Tolerance for `nbf` in seconds: the issuer's clock may be ahead of our clock. `validity` checks the expiry without
 * any tolerance.
 */
const clockToleranceSeconds = 5;
/** The type of an access token in its header (RFC 9068, 2.1). */
const typedAccessToken = 'at+jwt';
/** Largest number of users remembered as stored. A user that is forgotten is stored again. */
const mostNoted = 10_000;

/** Verifies the tokens of a hospital's own identity provider (OpenID Connect). */
export interface OidcVerifier {
  /** The issuer whose tokens this verifier accepts. */
  readonly issuer: string;
  /** Checks a token. @throws UnauthenticatedError; ServiceUnavailableError when the issuer's keys are not available */
  verify(token: string): Promise<Identity>;
}

const timesSchema = z.object({ iat: z.number(), exp: z.number() });

/**
 * Follows RFC 8725. Only asymmetric algorithms are accepted: neither `alg: none` nor an HMAC over a public key passes.
 * The issuer's JWKS is the only source of keys: the headers `jwk`, `jku` and `x5u` of a token are ignored.
 * Step by step:
 *
 *   1. Checks signature, issuer, audience and times, and that it is an access token.
 *   2. Reads organization, username and role from the claims.
 *   3. Finds the organization. A token never creates one.
 *   4. Stores the user at the first token, so that administrators find and can disable them.
 */
export function createOidcVerifier(
  settings: OidcSettings,
  models: Pick<Models, 'organizations' | 'users'>,
  logger: Logger,
): OidcVerifier {
  const keys = createIssuerKeys(settings.jwksUri, logger);
  const organizationIds = new Map<string, string>();
  /** True once the provider has sent a typed access token. It types them all, so no other token is one. */
  let sendsTyped = false;
  const noted = new LRUCache<string, true>({ max: mostNoted });

  async function verifySignature(token: string): Promise<JWTPayload> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms: [...settings.algorithms],
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ['exp', 'iat'],
        clockTolerance: clockToleranceSeconds,
      });
      refuseOtherToken(tokenType(protectedHeader.typ), payload);
      return payload;
    } catch (error) {
      if (!(error instanceof IssuerKeysUnavailableError)) throw refused();
      throw new ServiceUnavailableError('The keys of the identity provider are not available: try again in a moment.');
    }
  }

  /**
   * Refuses ID tokens, logout tokens and all others that are no access tokens (RFC 9068, 4).
   * @throws UnauthenticatedError
   */
  function refuseOtherToken(type: string, payload: JWTPayload): void {
    if (type === typedAccessToken) sendsTyped = true;
    const wanted = settings.tokenType ?? (sendsTyped ? typedAccessToken : undefined);
    const fits = wanted === undefined ? ['jwt', typedAccessToken].includes(type) : type === tokenType(wanted);
    if (!fits || isOtherToken(payload)) throw refused();
  }

  async function organizationIdOf(slug: string): Promise<string> {
    if (settings.organizations && !settings.organizations.includes(slug)) {
      // The signature is valid, so either the provider or the setting is wrong. The operator has to know.
      logger.warn(
        { issuer: settings.issuer, ...(isSlug(slug) && { organization: slug }) },
        'a token of the OIDC issuer was refused: OIDC_ORGANIZATIONS does not list its organization',
      );
      throw refused();
    }
    const known = organizationIds.get(slug);
    if (known) return known;
    // Organizations are created on the command line, never by a token.
    const organization = await models.organizations
      .findOne({ slug }, { _id: 1 })
      .lean<Pick<Organization, '_id'> | null>();
    if (!organization) throw refused();
    const id = organization._id.toHexString();
    organizationIds.set(slug, id);
    return id;
  }

  /** Stores the user of a token, so that an administrator finds and can disable them. No request waits for it. */
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
        logError(logger, error, 'OIDC user not stored', { level: 'debug' });
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

/** The same answer for every reason: it must not help an attacker to improve a forged token. */
const refused = (): UnauthenticatedError =>
  new UnauthenticatedError('The access token is not valid or has expired: get a new one.');

function orRefused<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw refused();
  }
}
