import { z } from 'zod';
import { mongoUri, redisUrl, text } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** MongoDB and Redis, and the files of TLS connections to them. */
export const databaseSettings = [
  {
    name: 'MONGO_URI',
    key: 'mongoUri',
    secret: true,
    schema: mongoUri.optional(),
    description:
      'MongoDB: `mongodb://` or `mongodb+srv://`. Without it, `up` starts the embedded MongoDB; `api` and `worker` ' +
      'refuse to start. Production asks for a password on any other host',
  },
  {
    name: 'MONGO_TLS_CA_FILE',
    key: 'mongoTls.caFile',
    schema: text.optional(),
    description: "PEM file of the authority that signed MongoDB's certificate. Needs a URI with `tls=true`",
  },
  {
    name: 'MONGO_TLS_CERTIFICATE_FILE',
    key: 'mongoTls.certificateFile',
    schema: text.optional(),
    description: 'PEM file of the client certificate for MongoDB',
  },
  {
    name: 'MONGO_TLS_KEY_FILE',
    key: 'mongoTls.keyFile',
    schema: text.optional(),
    description: 'PEM file of the private key of the client certificate for MongoDB',
  },
  {
    name: 'REDIS_URL',
    key: 'redisUrl',
    secret: true,
    schema: redisUrl.optional(),
    description:
      'Redis: `redis://` or `rediss://` (TLS). Without it, `up` starts `redis-server`; `api` and `worker` refuse to ' +
      'start. Production asks for a password on any other host',
  },
  {
    name: 'REDIS_TLS_CA_FILE',
    key: 'redisTls.caFile',
    schema: text.optional(),
    description: "PEM file of the authority that signed Redis's certificate. Needs a `rediss://` URL",
  },
  {
    name: 'REDIS_TLS_CERTIFICATE_FILE',
    key: 'redisTls.certificateFile',
    schema: text.optional(),
    description: 'PEM file of the client certificate for Redis',
  },
  {
    name: 'REDIS_TLS_KEY_FILE',
    key: 'redisTls.keyFile',
    schema: text.optional(),
    description: 'PEM file of the private key of the client certificate for Redis',
  },
  {
    name: 'REDIS_PREFIX',
    key: 'redisPrefix',
    schema: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and -')
      .default('riskgraph'),
    description: 'Namespace of every key and channel in Redis',
  },
] as const satisfies readonly Setting[];
