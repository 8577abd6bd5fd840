import { ERROR_CODES, UnavailableError } from '@chip-quality/schemas';

/** An object store that restarts is back within seconds. */
const OBJECT_STORE_RETRY_SECONDS = 2;

/**
 * The outage that an error stands for, or undefined when it is something else. What a client hears of the object store is
 * our own sentence: adapters put keys and addresses into theirs.
 */
export function outageOf(error: unknown): UnavailableError | undefined {
  if (error instanceof UnavailableError) return error;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (code !== ERROR_CODES.objectStoreUnavailable) return undefined;
  return new UnavailableError('The object store does not answer', OBJECT_STORE_RETRY_SECONDS, error);
}
