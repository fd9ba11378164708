import { createSecretKey } from 'node:crypto';
import { decrypt, encrypt } from '../protection/aes-gcm.js';
import type { Protection } from '../protection/protection.js';
import type { LogPlace } from './log-reader.js';

/** Cursors of one subscription to new predictions. */
interface StreamCursors {
  write(place: LogPlace): string;
  /** @returns undefined for what is not a cursor of this subscription */
  read(cursor: string): LogPlace | undefined;
}

/** The numbers of a place, and their bytes. */
const parts = { single: 6, block: 6, row: 3 } as const;
const bytesOfPlace = 15;

/**
 * Makes the cursors of an organization, and of a patient if the subscription is to one. They are encrypted: the numbers
 * would tell how many predictions there are, and a clinician sees only those of the own patients. A cursor of another
 * organization or patient cannot be decrypted. No rotation of keys ends a cursor.
 */
export async function streamCursors(protection: Protection, patientId: string | null): Promise<StreamCursors> {
  const { derivedKey } = await protection.writer();
  const key = createSecretKey(derivedKey('predictionCreated'));
  const context = Buffer.from(patientId ?? '');
  return {
    write({ single, block, row }) {
      const bytes = Buffer.alloc(bytesOfPlace);
      const behindSingle = bytes.writeUIntBE(single, 0, parts.single);
      bytes.writeUIntBE(row, bytes.writeUIntBE(block, behindSingle, parts.block), parts.row);
      return encrypt(key, context, bytes).toString('base64url');
    },
    read(cursor) {
      try {
        const bytes = decrypt(key, context, Buffer.from(cursor, 'base64url'));
        return {
          single: bytes.readUIntBE(0, parts.single),
          block: bytes.readUIntBE(parts.single, parts.block),
          row: bytes.readUIntBE(parts.single + parts.block, parts.row),
        };
      } catch {
        return undefined;
      }
    },
  };
}
