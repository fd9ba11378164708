import { RiskGraphError } from '../errors.js';

/**
 * A stored ciphertext that cannot be decrypted: it was changed, was moved to another place, or its key is missing. The
 * caller gets a correlation id. The log names the place, which consists of ids and field names.
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
      `A protected field cannot be read: ${reason}. Ask your operator to restore it from a backup.`,
      options,
    );
  }
}

/** The refusal to use a data key whose master key this process does not have. */
export class MasterKeyMissingError extends RiskGraphError {
  override readonly name = 'MasterKeyMissingError';
  constructor() {
    super(
      'SERVICE_UNAVAILABLE',
      'This server does not have the key for the data of your organization: ask your operator to read the server log.',
    );
  }
}
