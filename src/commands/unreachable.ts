import { StartupError } from '../errors.js';

/**
 * Makes the error for an address that gave no answer. It has the code of the failure, and the remedy for it.
 * @param error of `node:http`, `node:https`, `fetch` or our client
 * @param otherwise the remedy for a failure that is none of TLS
 */
export function unreachable(
  { origin }: URL,
  error: unknown,
  otherwise = 'check the address, and that the proxy runs',
): StartupError {
  const code = codeOf(error);
  const shown = code ?? (error as Error).message;
  return new StartupError(`${origin} cannot be reached (${shown}): ${tlsRemedy(code) ?? otherwise}`, { cause: error });
}

/**
 * The remedy for a failure of TLS. Undefined for another failure.
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function tlsRemedy(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another name: give --url with that name, or get a certificate for this one';
  if (code === 'CERT_HAS_EXPIRED') return 'renew the certificate';
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate is not valid yet: compare the clocks';
  if (/CERT|SELF_SIGNED|ISSUER|VERIFY/.test(code))
    return 'the certificate is not trusted: let the proxy send its whole chain, or name its authority in NODE_EXTRA_CA_CERTS';
  return /SSL|TLS|EPROTO/.test(code) ? 'no TLS is spoken there, or another version: check the port' : undefined;
}

/** The code of an error, or of the first one of its causes that has one. */
export function codeOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return undefined;
}
