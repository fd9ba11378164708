import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type GenerateKeyPairResult,
  type JWK,
  type JWTPayload,
} from 'jose';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Deviations of a token from a good one: in its claims, its header or its signature. */
export interface Deviation {
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  readonly key?: CryptoKey | Uint8Array;
}

/** A hospital's identity provider, as far as RiskGraph sees it: a JWKS over HTTP on this machine, and tokens. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly environment: Record<string, string>;
  /** A key pair whose public half is published as `key-2`, for any algorithm of RSA. */
  readonly general: GenerateKeyPairResult;
  /** The public key as PEM. */
  readonly publicPem: string;
  /** Makes a token of a new user. It is good except for the deviation. */
  token(deviation?: Deviation): Promise<string>;
  /** Where its metadata say that it ends its own session. Absent at first. */
  endSessionEndpoint: string | undefined;
  /** Number of times that the keys were fetched. */
  readonly fetches: number;
  /** Status of the JWKS endpoint; 200 at first. */
  status: number;
  /** Body of the JWKS endpoint in place of the keys, e.g. an HTML page. */
  body: string | undefined;
  /** Publishes the public half of a new key for RS256. @returns the private half */
  publish(kid: string): Promise<CryptoKey>;
  /** Stops publishing a key. */
  withdraw(kid: string): void;
  close(): Promise<void>;
}

export const oidcAudience = 'riskgraph-of-the-hospital';

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const pair = await generateKeyPair('RS256', { extractable: true });
  const publicPem = await exportSPKI(pair.publicKey);
  // Providers also publish keys for other purposes, often without naming the algorithm.
  const general = await generateKeyPair('PS512', { extractable: true });
  const generalJwk: JWK = { ...(await exportJWK(general.publicKey)), kid: 'key-2' };
  const jwk: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
  let fetches = 0;
  let status = 200;
  let body: string | undefined;
  let published = [jwk, generalJwk];
  const server = createServer((request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      const metadata = { issuer, jwks_uri: `${issuer}/keys`, end_session_endpoint: provider.endSessionEndpoint };
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    }
    fetches += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(body ?? JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const provider: IdentityProvider = {
    issuer,
    endSessionEndpoint: undefined,
    environment: { OIDC_ISSUER: issuer, OIDC_JWKS_URI: `${issuer}/keys`, OIDC_AUDIENCE: oidcAudience },
    general,
    publicPem,
    async token({ claims = {}, header = {}, key = pair.privateKey } = {}) {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({
        iss: issuer,
        aud: oidcAudience,
        sub: `oidc|${randomUUID()}`,
        iat: now,
        exp: now + 600,
        organization: 'alpha',
        role: 'CLINICIAN',
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256', kid: jwk.kid!, ...header })
        .sign(key, {
          crit: Object.fromEntries((Array.isArray(header.crit) ? header.crit : []).map((name) => [name, true])),
        });
    },
    get fetches() {
      return fetches;
    },
    get status() {
      return status;
    },
    set status(value) {
      status = value;
    },
    get body() {
      return body;
    },
    set body(value) {
      body = value;
    },
    async publish(kid) {
      const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
      published.push({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' });
      return privateKey;
    },
    withdraw(kid) {
      published = published.filter((one) => one.kid !== kid);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return provider;
}

/** A token without a signature. */
export function unsignedToken(claims: object, header: object = { alg: 'none' }): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(claims)}.`;
}
