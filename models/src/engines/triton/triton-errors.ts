import { INVALID_IMAGE_REASONS, type InferenceErrorReason, type RefusedImage } from '@chip-quality/schemas';
import { type ServiceError, status } from '@grpc/grpc-js';
import { InferenceError } from '../../errors.ts';
import type { TritonConnection } from './connection.ts';

/** Triton tells an unknown or unloaded model by words, under codes that it uses for other things too. */
const NOT_LOADED =
  /unknown model|is not ready|has no available versions|is not found|not loaded|no version is available/i;
/** What `preprocess_boards` says of a fault of the sender: its reason, and which image of which board. */
const BAD_IMAGE = /bad image: ([a-z-]+): (board|golden image) \d+/;
/** The server was restarted and no longer knows the regions that were registered. */
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
  return new InferenceError(reason, `Triton at ${address}: ${text}`, {
    cause: error,
    refusedImage: refusedImageOf(text),
  });
}

/** What the message of a failed request on a stream means; a stream knows no codes. */
export function fromStreamError(text: string, address: string): InferenceError {
  const refusedImage = refusedImageOf(text);
  return new InferenceError(reasonOf(text) ?? 'model-failed', `Triton at ${address}: ${text}`, { refusedImage });
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

function refusedImageOf(text: string): RefusedImage | undefined {
  const [, word, image] = BAD_IMAGE.exec(text) ?? [];
  if (word === undefined) return undefined;
  // A newer server may have a reason that we do not know.
  const reason = INVALID_IMAGE_REASONS.find((known) => known === word) ?? 'corrupt';
  return { image: image === 'board' ? 'board' : 'golden', reason };
}

function reasonOf(text: string): InferenceErrorReason | undefined {
  if (BAD_IMAGE.test(text)) return 'bad-input';
  if (LOST_REGION.test(text)) return 'unavailable';
  if (NOT_LOADED.test(text)) return 'model-not-loaded';
  return undefined;
}
