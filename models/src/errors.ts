/** Why bytes could not be used as a board image; `docs/errors.md` says of each what to do. */
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

/** One of {@link INVALID_IMAGE_REASONS}; part of a failed inference's reason. */
export type InvalidImageReason = (typeof INVALID_IMAGE_REASONS)[number];

/**
 * The bytes of an artifact are not a usable board image. It is the sender's fault and will be so
 * again on every retry: fail the inference with `reason` and `message`, do not retry.
 */
export class InvalidImageError extends Error {
  override readonly name = 'InvalidImageError';
  /** Tells it from other errors without a look at its class. */
  readonly code = 'INVALID_IMAGE';
  /** What is wrong with the bytes. */
  readonly reason: InvalidImageReason;

  /** `message` says it for people, with the numbers. */
  constructor(reason: InvalidImageReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Which image of a board a model's server refused, and why. */
export interface RefusedImage {
  /** The image of the board (`board`) or the template of its part (`golden`). */
  readonly image: 'board' | 'golden';
  /** What is wrong with its bytes. */
  readonly reason: InvalidImageReason;
}

/**
 * What went wrong while a model was asked. `unavailable`: it or its server did not answer, which may pass. The others
 * stay by themselves: `bad-input`: it refused the batch; `bad-output`: its answer is no list of detections;
 * `model-failed`: it broke while it ran; `model-not-loaded`: the server does not have it.
 */
export type InferenceErrorReason = 'bad-input' | 'bad-output' | 'model-failed' | 'model-not-loaded' | 'unavailable';

/** The model could not be loaded or did not give a usable answer. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  /** Tells it from other errors without a look at its class. */
  readonly code = 'INFERENCE_FAILED';
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
