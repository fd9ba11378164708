import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';

/** Makes a secret of 256 bits in the form of Standard Webhooks: `whsec_` and base64. */
export const newSecret = (): string => `${prefix}${randomBytes(32).toString('base64')}`;

/** The parts of a message that its signature covers. */
interface SignedMessage {
  /** The header `webhook-id`. */
  readonly id: string;
  /** The header `webhook-timestamp`: seconds since 1970, at this attempt. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The header `webhook-signature`: one signature per secret, with spaces between them. A receiver accepts the message
 * when one of them is right, so both secrets of a rotation work.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatures(secrets: readonly string[], { id, timestamp, body }: SignedMessage): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice(prefix.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
