import { RiskGraphError } from '../errors.js';

/**
 * A stored ciphertext that cannot be decrypted: it was changed, moved to another place, or its key is gone. A caller is
 * shown a correlation id; the log names the place, which is made of ids and names of fields.
 */
export class CiphertextError extends RiskGraphError {
  override readonly name = 'CiphertextError';
  /** @param subject the place, e.g. `patients.mrn of 6b04d76d93207f946087d055` */
  constructor(
    readonly subject: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      'INTERNAL',
      `A protected field cannot be read: ${reason}. Have your operator restore it from a backup.`,
      options,
    );
  }
}

/** A data key whose master key this process has not been given. */
export class MasterKeyMissingError extends RiskGraphError {
  override readonly name = 'MasterKeyMissingError';
  constructor() {
    super(
      'SERVICE_UNAVAILABLE',
      'This server has not been given the key that opens the data of your organization: have your operator look at its log.',
    );
  }
}
