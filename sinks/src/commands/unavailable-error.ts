/**
 * The platform can't answer now. Structurally the API's error of the same name; the composition root may pass the API's own
 * class to the gateway instead.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  /** What to tell an HTTP client in `Retry-After`. */
  readonly retryAfterSeconds: number;

  /** `message` says what is away. */
  constructor(message: string, retryAfterSeconds: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
