/** Says that the session of this page has ended, while that at the identity provider lives on. */
export class ProviderSessionError extends Error {
  override readonly name = 'ProviderSessionError';
  constructor() {
    super('The session at the identity provider lives on: sign out there too.');
  }
}
