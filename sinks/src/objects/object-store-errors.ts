import { ERROR_CODES } from '@chip-quality/schemas';

/** The object isn't there (or not yet). Repeating helps only after somebody has uploaded it. */
export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';
  /** Tells it from other errors without a look at its class. */
  readonly code = ERROR_CODES.objectNotFound;
}

/** The object is larger than the caller is willing to hold in memory. */
export class ObjectTooLargeError extends Error {
  override readonly name = 'ObjectTooLargeError';
  /** Tells it from other errors without a look at its class. */
  readonly code = ERROR_CODES.objectTooLarge;
}

/** The object store doesn't answer, or answers with an error of its own: repeat later. */
export class ObjectStoreUnavailableError extends Error {
  override readonly name = 'ObjectStoreUnavailableError';
  /** Tells it from other errors without a look at its class. */
  readonly code = ERROR_CODES.objectStoreUnavailable;
}
