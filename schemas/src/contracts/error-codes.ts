/**
 * Codes (`error.code`) by which errors that cross from one room to another are told apart: an adapter throws an error of its own
 * class, and who calls its port knows the code only.
 */
export const ERROR_CODES = {
  /** The object isn't there, or not yet. Repeating helps only after somebody has uploaded it. */
  objectNotFound: 'OBJECT_NOT_FOUND',
  /** The object has more bytes than an image may have. Stays so. */
  objectTooLarge: 'OBJECT_TOO_LARGE',
  /** The object store doesn't answer, or answers with an error of its own. Repeat later. */
  objectStoreUnavailable: 'OBJECT_STORE_UNAVAILABLE',
  /** The bytes are not a usable board image; `reason` says why, as in `INVALID_IMAGE_REASONS`. Stays so. */
  invalidImage: 'INVALID_IMAGE',
  /** The model gave no usable answer; `reason` says why, as in `INFERENCE_ERROR_REASONS`, and `retriable` whether to repeat. */
  inferenceFailed: 'INFERENCE_FAILED',
} as const;
