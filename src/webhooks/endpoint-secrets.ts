import type { Types } from 'mongoose';
import type { Ciphertext, WebhookEndpoint } from '../../models/index.js';
import type { Protection } from '../protection/protection.js';

/** The sealed fields of an endpoint, in the clear. */
interface EndpointSecrets {
  readonly url: string;
  readonly secret: string;
  readonly previousSecret?: string;
}

type Sealed = { [K in keyof EndpointSecrets]: Ciphertext } & { readonly dataKey: Types.ObjectId };

const fieldName = (field: keyof EndpointSecrets): string => `webhook_endpoints.${field}`;

/** Seals all of them under one data key. */
export async function sealEndpoint(
  protection: Protection,
  id: Types.ObjectId,
  { url, secret, previousSecret }: EndpointSecrets,
): Promise<Sealed> {
  const { dataKey, seal } = await protection.writer();
  return {
    dataKey,
    url: seal(id, fieldName('url'), url),
    secret: seal(id, fieldName('secret'), secret),
    ...(previousSecret !== undefined && { previousSecret: seal(id, fieldName('previousSecret'), previousSecret) }),
  };
}

/** Decrypts them. @param endpoints endpoints of one organization */
export async function readEndpoints(
  protection: Protection,
  endpoints: readonly WebhookEndpoint[],
): Promise<EndpointSecrets[]> {
  const read = await protection.reader(endpoints.map(({ dataKey }) => dataKey));
  return endpoints.map(({ _id, url, secret, previousSecret }) => ({
    url: read(_id, fieldName('url'), url),
    secret: read(_id, fieldName('secret'), secret),
    ...(previousSecret && { previousSecret: read(_id, fieldName('previousSecret'), previousSecret) }),
  }));
}
