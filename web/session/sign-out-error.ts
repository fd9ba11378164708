/** Says that the session has ended on this page, but not on the server. */
export class SignOutError extends Error {
  override readonly name = 'SignOutError';
  /** @param reason why the server did not end it */
  constructor(readonly reason: Error) {
    super(`The session could not be ended on the server: ${reason.message}`);
  }
}
