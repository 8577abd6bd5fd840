import { type ServiceError, status } from '@grpc/grpc-js';
import { InferenceError, type InferenceErrorReason } from '../errors.ts';
import type { TritonConnection } from './connection.ts';

/** Triton tells an unknown or unloaded model by words, under codes that it uses for other things too. */
const NOT_LOADED =
  /unknown model|is not ready|has no available versions|is not found|not loaded|no version is available/i;
/** What `preprocess_boards` puts before a fault of the sender. */
const BAD_IMAGE = /bad image: /;
/** The server was restarted, and with it went what we had registered. */
const LOST_REGION = /shared memory region/i;

const REASONS: Readonly<Partial<Record<status, InferenceErrorReason>>> = {
  [status.UNAVAILABLE]: 'unavailable',
  [status.DEADLINE_EXCEEDED]: 'unavailable',
  [status.RESOURCE_EXHAUSTED]: 'unavailable',
  [status.ABORTED]: 'unavailable',
  [status.CANCELLED]: 'unavailable',
  [status.INVALID_ARGUMENT]: 'bad-input',
  [status.OUT_OF_RANGE]: 'bad-input',
};

/** What a failed call means to the platform; `address` tells which server. */
export function toInferenceError(error: ServiceError, address: string): InferenceError {
  const text = error.details === '' ? error.message : error.details;
  const reason = reasonOf(text) ?? REASONS[error.code] ?? 'model-failed';
  return new InferenceError(reason, `Triton at ${address}: ${text}`, { cause: error });
}

/** What the message of a failed request on a stream means; a stream knows no codes. */
export function fromStreamError(text: string, address: string): InferenceError {
  return new InferenceError(reasonOf(text) ?? 'model-failed', `Triton at ${address}: ${text}`);
}

/**
 * What a fault of the model means when the server is asked once more: one that shuts down says that its models are
 * not loaded, or lets their processes die under a request, but all that is over after its restart.
 */
export async function confirmFault(error: unknown, connection: TritonConnection): Promise<unknown> {
  if (!(error instanceof InferenceError) || (error.reason !== 'model-not-loaded' && error.reason !== 'model-failed')) {
    return error;
  }
  try {
    if ((await connection.call('ServerReady', {})).ready) return error;
  } catch (cause) {
    if (!(cause instanceof InferenceError)) throw cause;
  }
  return new InferenceError('unavailable', `the server is shutting down: ${error.message}`, { cause: error });
}

/** Whether a call failed because the server does not know our shared memory any more. */
export function isLostRegion(error: unknown): boolean {
  return error instanceof InferenceError && LOST_REGION.test(error.message);
}

function reasonOf(text: string): InferenceErrorReason | undefined {
  if (BAD_IMAGE.test(text)) return 'bad-input';
  if (LOST_REGION.test(text)) return 'unavailable';
  if (NOT_LOADED.test(text)) return 'model-not-loaded';
  return undefined;
}
