/**
 * The platform can't answer now, but may soon. Thrown by whatever the API asks: the command gateway, queries, the authenticator.
 * The API answers it with 503 and `Retry-After`, and its message is what the client reads.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  /** What to tell the client in `Retry-After`. */
  readonly retryAfterSeconds: number;

  /** `cause` is for the log only. */
  constructor(message: string, retryAfterSeconds: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
