import {
  ERROR_CODES,
  type InferenceErrorReason,
  type InvalidImageReason,
  type RefusedImage,
} from '@chip-quality/schemas';

/**
 * The bytes of an artifact are not a usable board image. It is the sender's fault and will be so
 * again on every retry: fail the inference with `reason` and `message`, do not retry.
 */
export class InvalidImageError extends Error {
  override readonly name = 'InvalidImageError';
  /** Tells it from other errors without a look at its class. */
  readonly code = ERROR_CODES.invalidImage;
  /** What is wrong with the bytes. */
  readonly reason: InvalidImageReason;

  /** `message` says it for people, with the numbers. */
  constructor(reason: InvalidImageReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The model could not be loaded or did not give a usable answer. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  /** Tells it from other errors without a look at its class. */
  readonly code = ERROR_CODES.inferenceFailed;
  /** What went wrong, from the closed list. */
  readonly reason: InferenceErrorReason;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** With `bad-input`, where the server decodes the images and says what is wrong with one. */
  readonly refusedImage: RefusedImage | undefined;

  /** `message` says what was asked of whom. */
  constructor(
    reason: InferenceErrorReason,
    message: string,
    options?: ErrorOptions & {
      /** With `bad-input`: which image was refused. */
      readonly refusedImage?: RefusedImage | undefined;
    },
  ) {
    super(message, options);
    this.reason = reason;
    this.retriable = reason === 'unavailable';
    this.refusedImage = options?.refusedImage;
  }
}
