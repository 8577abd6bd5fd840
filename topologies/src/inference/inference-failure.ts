import type { InferenceFailure } from '@chip-quality/schemas';

/** An inference that ends without a result, for a reason that people and programs can read. */
export class InferenceFailedError extends Error {
  override readonly name = 'InferenceFailedError';
  readonly failure: InferenceFailure;

  constructor(reason: string, detail: string, options?: ErrorOptions) {
    super(`${reason}: ${detail}`, options);
    this.failure = { reason, detail };
  }
}

interface Coded {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly retriable?: unknown;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether trying again may help: the object store or the inference server is away. */
export function isOutage(error: unknown): boolean {
  const { code, retriable } = (error ?? {}) as Coded;
  return code === 'OBJECT_STORE_UNAVAILABLE' || (code === 'INFERENCE_FAILED' && retriable === true);
}

/**
 * The reason of a failed inference, from the error of a port. `subject` is put in front where it is not the board itself
 * (`golden_`). An error that no port promises is a defect of ours: it ends the inference too, so that the line goes on.
 */
export function failureOf(error: unknown, subject: '' | 'golden_' = ''): InferenceFailure {
  if (error instanceof InferenceFailedError) return error.failure;
  const { code, reason } = (error ?? {}) as Coded;
  const detail = messageOf(error);
  switch (code) {
    case 'OBJECT_NOT_FOUND':
      return { reason: `${subject}object_not_found`, detail };
    case 'OBJECT_TOO_LARGE':
      return { reason: `${subject}object_too_large`, detail };
    case 'OBJECT_STORE_UNAVAILABLE':
      return { reason: 'object_store_unavailable', detail };
    case 'INVALID_IMAGE':
      return { reason: `${subject}invalid_image:${String(reason)}`, detail };
    case 'INFERENCE_FAILED':
      return { reason: `inference_failed:${String(reason)}`, detail };
    default:
      return { reason: 'internal_error', detail };
  }
}
