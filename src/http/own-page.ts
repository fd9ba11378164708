import type { FastifyRequest } from 'fastify';

/** Tells whether a browser says that the request comes from a page of this host. Each browser of today says it. */
export function isFromOwnPage({ headers, protocol, host }: FastifyRequest): boolean {
  if (headers['sec-fetch-site'] !== undefined) return headers['sec-fetch-site'] === 'same-origin';
  return headers.origin === `${protocol}://${host}`;
}
