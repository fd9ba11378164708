import { z } from 'zod';
import { text } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** Keys that sign and encrypt. */
export const secretSettings = [
  {
    name: 'SECRET_KEY',
    key: 'secretKey',
    secret: true,
    schema: text.optional(),
    description:
      'Signs access tokens. `api` and `worker` need it. In production it has at least 32 characters, at least 10 ' +
      'different ones, and is no known default. Outside production, `up` makes one in the data directory',
  },
  {
    name: 'ENCRYPTION_KEYS',
    key: 'encryptionKeys',
    secret: true,
    // readMasterKeys in config.ts checks its form, so that no message repeats a key.
    schema: z.string().optional(),
    description:
      '[Master keys](operations.md#master-keys) as `id:key`, the present one first. They wrap the data keys that ' +
      'encrypt patients. Production needs them. Elsewhere a master key is also derived from `SECRET_KEY`',
  },
] as const satisfies readonly Setting[];
