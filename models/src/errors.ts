/** Why bytes could not be used as a board image. */
export const INVALID_IMAGE_REASONS = [
  'empty',
  'not-an-image',
  'corrupt',
  'wrong-size',
  'too-large',
  'colour-space',
  'bit-depth',
  'animated',
] as const;

/** One of {@link INVALID_IMAGE_REASONS}. */
export type InvalidImageReason = (typeof INVALID_IMAGE_REASONS)[number];

/**
 * The bytes of an artifact are not a usable board image. It is the sender's fault and will be so
 * again on every retry: fail the inference with `reason` and `message`, do not retry.
 */
export class InvalidImageError extends Error {
  override readonly name = 'InvalidImageError';
  readonly code = 'INVALID_IMAGE';
  readonly reason: InvalidImageReason;

  constructor(reason: InvalidImageReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Which image of a board a model's server refused, and why. */
export interface RefusedImage {
  readonly image: 'board' | 'golden';
  readonly reason: InvalidImageReason;
}

/** What went wrong while a model was asked. `unavailable` may pass; the others will not by themselves. */
export type InferenceErrorReason = 'bad-input' | 'bad-output' | 'model-failed' | 'model-not-loaded' | 'unavailable';

/** The model could not be loaded or did not give a usable answer. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly code = 'INFERENCE_FAILED';
  readonly reason: InferenceErrorReason;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** With `bad-input`, where the server decodes the images and says what is wrong with one. */
  readonly refusedImage: RefusedImage | undefined;

  constructor(
    reason: InferenceErrorReason,
    message: string,
    options?: ErrorOptions & { readonly refusedImage?: RefusedImage | undefined },
  ) {
    super(message, options);
    this.reason = reason;
    this.retriable = reason === 'unavailable';
    this.refusedImage = options?.refusedImage;
  }
}
