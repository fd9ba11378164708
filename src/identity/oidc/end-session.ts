import type { Logger } from 'pino';
import { z } from 'zod';
import { secureUrl } from '../../config/settings/oidc.js';
import { logError } from '../../process/logger.js';

const fetchTimeoutMs = 3_000;
/** Bytes of the largest metadata that are read. Those of providers have a few thousand. */
const largestMetadata = 256 * 1_024;
/** Time after which the metadata are read again. Milliseconds. */
const freshMs = 10 * 60_000;
/** Time until the next attempt after a failed one. Milliseconds. */
const retryMs = 30_000;

/**
 * Finds the address at which a provider ends its own session, in the provider's metadata. A caller never waits: the
 * metadata are read in the background, on the first call and again when they are old.
 * https://openid.net/specs/openid-connect-discovery-1_0.html,
 * https://openid.net/specs/openid-connect-rpinitiated-1_0.html
 * @returns a function that gives the address. Undefined when the provider has none, or has not answered yet
 */
export function discoverEndSession(issuer: string, logger: Logger): () => string | undefined {
  let endpoint: string | undefined;
  let nextAt = 0;
  async function read(): Promise<void> {
    try {
      endpoint = await readEndSession(issuer);
      nextAt = Date.now() + freshMs;
    } catch (error) {
      nextAt = Date.now() + retryMs;
      logError(logger, error, 'the metadata of the OIDC issuer cannot be read', { level: 'warn' });
    }
  }
  return () => {
    if (Date.now() >= nextAt) {
      nextAt = Infinity;
      void read();
    }
    return endpoint;
  };
}

/** @throws Error when the provider does not answer, or its metadata are not those of the issuer */
async function readEndSession(issuer: string): Promise<string | undefined> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (response.status === 404) return undefined;
  if (!response.ok || !response.body) throw new Error(`the provider answers ${response.status}`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body) {
    size += part.length;
    if (size > largestMetadata) throw new Error(`the metadata have more than ${largestMetadata} bytes`);
    parts.push(part);
  }
  const metadata = z.object({ issuer: z.literal(issuer), end_session_endpoint: secureUrl.optional() });
  return metadata.parse(JSON.parse(Buffer.concat(parts).toString('utf8'))).end_session_endpoint;
}
