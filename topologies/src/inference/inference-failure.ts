import {
  ERROR_CODES,
  INFERENCE_ERROR_REASONS,
  INVALID_IMAGE_REASONS,
  type InferenceFailure,
  type InvalidImageReason,
} from '@chip-quality/schemas';

/** A call that the detector can't answer, or doesn't in time. */
const DETECTOR_REASONS = [...INFERENCE_ERROR_REASONS, 'timeout'] as const;
const SUBJECT_REASONS = ['object_not_found', 'object_too_large', 'artifact_changed'] as const;

/**
 * What can be wrong with an image, or with the way to it: `object_store_unavailable` is nobody's image in particular.
 */
type ImageReason =
  | (typeof SUBJECT_REASONS)[number]
  | 'object_store_unavailable'
  | `invalid_image:${InvalidImageReason}`;

/**
 * Why an inference ends as `inference.failed`: a closed list, explained in `docs/errors.md`. Besides what is wrong with
 * an image or a model's answer: `unknown_model`, `no_image`, and `internal_error`, which is a defect of the platform.
 */
export type FailureReason =
  | ImageReason
  | `golden_${Exclude<ImageReason, 'object_store_unavailable'>}`
  | `inference_failed:${(typeof DETECTOR_REASONS)[number]}`
  | 'unknown_model'
  | 'no_image'
  | 'internal_error';

/** All of {@link FailureReason}. */
export const FAILURE_REASONS: readonly FailureReason[] = [
  'no_image',
  'unknown_model',
  ...(['', 'golden_'] as const).flatMap((subject) => [
    ...SUBJECT_REASONS.map((reason) => `${subject}${reason}` as const),
    ...INVALID_IMAGE_REASONS.map((reason) => `${subject}invalid_image:${reason}` as const),
  ]),
  'object_store_unavailable',
  ...DETECTOR_REASONS.map((reason) => `inference_failed:${reason}` as const),
  'internal_error',
];

/** An inference that ends without a result, for a reason that people and programs can read. */
export class InferenceFailedError extends Error {
  override readonly name = 'InferenceFailedError';
  /** What goes into the event: the reason, and a sentence for people. */
  readonly failure: InferenceFailure & {
    /** From the closed list. */
    readonly reason: FailureReason;
  };

  /** `detail` is a sentence for people. */
  constructor(reason: FailureReason, detail: string, options?: ErrorOptions) {
    super(`${reason}: ${detail}`, options);
    this.failure = { reason, detail };
  }
}

interface Coded {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly retriable?: unknown;
  /** Of a detector that decodes the images itself: `board` or `golden`, and what is wrong with it. */
  readonly refusedImage?: { readonly image?: unknown; readonly reason?: unknown } | undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether trying again may help: the object store or the inference server is away. */
export function isOutage(error: unknown): boolean {
  const { code, retriable } = (error ?? {}) as Coded;
  return code === ERROR_CODES.objectStoreUnavailable || (code === ERROR_CODES.inferenceFailed && retriable === true);
}

/**
 * The reason of a failed inference, from the error of a port. `subject` is put in front where it is not the board itself
 * (`golden_`). An error that no port promises is a defect of ours: it ends the inference too, so that the line goes on.
 */
export function failureOf(error: unknown, subject: '' | 'golden_' = ''): InferenceFailedError['failure'] {
  if (error instanceof InferenceFailedError) {
    const { reason, detail } = error.failure;
    return { reason: ofSubject(reason, subject), detail };
  }
  return { reason: reasonOf(error, subject), detail: messageOf(error) };
}

function reasonOf(error: unknown, subject: '' | 'golden_'): FailureReason {
  const { code, reason, refusedImage } = (error ?? {}) as Coded;
  switch (code) {
    case ERROR_CODES.objectNotFound:
      return `${subject}object_not_found`;
    case ERROR_CODES.objectTooLarge:
      return `${subject}object_too_large`;
    case ERROR_CODES.objectStoreUnavailable:
      return 'object_store_unavailable';
    case ERROR_CODES.invalidImage:
      return invalidImage(subject, reason);
    case ERROR_CODES.inferenceFailed:
      if (refusedImage !== undefined) {
        return invalidImage(refusedImage.image === 'golden' ? 'golden_' : '', refusedImage.reason);
      }
      return `inference_failed:${oneOf(DETECTOR_REASONS, reason) ?? 'model-failed'}`;
    default:
      return 'internal_error';
  }
}

function invalidImage(subject: '' | 'golden_', reason: unknown): FailureReason {
  return `${subject}invalid_image:${oneOf(INVALID_IMAGE_REASONS, reason) ?? 'corrupt'}`;
}

/** A loader's own complaint names the golden image where it is about that. */
function ofSubject(reason: FailureReason, subject: '' | 'golden_'): FailureReason {
  const own = oneOf(SUBJECT_REASONS, reason);
  return own === undefined ? reason : `${subject}${own}`;
}

function oneOf<W extends string>(words: readonly W[], word: unknown): W | undefined {
  return words.find((known) => known === word);
}
