import { ConnectionError } from '../../src/client/errors.js';

/** Thrown when the identity provider cannot be reached, or has no answer for now. */
export class ProviderConnectionError extends ConnectionError {}
