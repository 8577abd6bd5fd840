/** Side of the square images that detectors take, in pixels; part of the models' tensor contract. */
export const IMAGE_SIDE_PX = 640;

/** Pixels of one board's image: as many bytes once it is decoded to grey. */
export const IMAGE_PIXELS = IMAGE_SIDE_PX * IMAGE_SIDE_PX;

/**
 * Most bytes that an image's file may have. A board's has 50 to 200 KB as JPEG, 1.6 MB as uncompressed RGBA. A worker
 * loads 128 at once: 1 GB.
 */
export const IMAGE_BYTES_MAX = 8 * 1024 * 1024;

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

/** Which image of a board a model's server refused, and why. */
export interface RefusedImage {
  /** The image of the board (`board`) or the template of its part (`golden`). */
  readonly image: 'board' | 'golden';
  /** What is wrong with its bytes. */
  readonly reason: InvalidImageReason;
}

/**
 * A file to what the detector takes: grey pixels, or the checked file itself where its server decodes. The inference flow calls it,
 * `models/` implements it. Rejects with `code` `INVALID_IMAGE` and a `reason`.
 */
export type ImageDecoder = (bytes: Uint8Array) => Promise<Uint8Array>;
