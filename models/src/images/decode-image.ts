import { IMAGE_BYTES_MAX, IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { InvalidImageError } from '../errors.ts';

/** Headers that claim more are refused by the decoder itself; the exact size is checked after that. */
const HEADER_PIXELS_MAX = 64_000_000;
/** What cameras write. Others (SVG, PDF, GIF) are refused, since they can hold far more than pixels. */
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'tiff']);

/**
 * Eight bits of grey or RGB: CMYK, Lab and deeper files can be turned to grey in several ways, and two decoders (this
 * one and the one in Triton) must see the same board.
 */
const COLOUR_SPACES: ReadonlySet<string> = new Set(['b-w', 'srgb', 'rgb']);
const DEEP_COLOUR_SPACES: ReadonlySet<string> = new Set(['rgb16', 'grey16', 'scrgb']);

const PNG_SIGNATURE_BYTES = 8;
/** Length, type and checksum. */
const PNG_CHUNK_FRAME_BYTES = 12;
const ACTL = 0x61_63_54_4c;
const IEND = 0x49_45_4e_44;

// One image is too small to share among threads, and no image is decoded twice.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a JPEG, PNG, WebP or TIFF file of one 8-bit grey or RGB image to 640 × 640 greyscale bytes, on libuv's pool. The
 * size must be exactly that: a resized board would not lie on its golden image. Nothing is decoded before the header has
 * been checked, so a decompression bomb costs nothing. Rejects with `InvalidImageError`, whose `reason` says what is wrong
 * with the bytes; `repository/preprocess_boards` refuses the same files for the same reasons.
 */
export async function decodeImage(bytes: Uint8Array): Promise<Uint8Array> {
  const { space } = await checkedHeader(bytes);
  let pixels: Uint8Array;
  try {
    const opaque = open(bytes).flatten({ background: 'white' });
    pixels =
      space === 'b-w'
        ? await opaque.toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer()
        : toGrey(await opaque.raw({ depth: 'uchar' }).toBuffer());
  } catch (cause) {
    throw new InvalidImageError('corrupt', `the image is damaged: ${messageOf(cause)}`, { cause });
  }
  if (pixels.length !== IMAGE_PIXELS) {
    throw new InvalidImageError('corrupt', `decoded to ${pixels.length} bytes, not ${IMAGE_PIXELS}`);
  }
  return pixels;
}

/**
 * Checks what {@link decodeImage} would before it decodes, by the file's length and header alone, and answers the same bytes: for
 * engines that are given files, since their server decodes. Damage below the header is for that server to find. Rejects with
 * `InvalidImageError`.
 */
export async function checkImage(bytes: Uint8Array): Promise<Uint8Array> {
  await checkedHeader(bytes);
  return bytes;
}

/** Colour to grey by the weights of ITU-R BT.601 in whole numbers, as Pillow has them: both decoders see one board. */
function toGrey(pixels: Uint8Array): Uint8Array {
  if (pixels.length !== 3 * IMAGE_PIXELS) return pixels; // refused by its length
  const grey = new Uint8Array(IMAGE_PIXELS);
  for (let i = 0, at = 0; i < IMAGE_PIXELS; i += 1, at += 3) {
    const [red, green, blue] = [pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number];
    grey[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return grey;
}

async function checkedHeader(bytes: Uint8Array): Promise<Metadata> {
  if (bytes.length === 0) throw new InvalidImageError('empty', 'the image has no bytes');
  if (bytes.length > IMAGE_BYTES_MAX) {
    throw new InvalidImageError('too-large', `${bytes.length} bytes, more than ${IMAGE_BYTES_MAX}`);
  }
  let header: Metadata;
  try {
    header = await open(bytes).metadata();
  } catch (cause) {
    const message = messageOf(cause);
    if (message.includes('pixel limit')) {
      throw new InvalidImageError('too-large', 'the image has too many pixels', { cause });
    }
    throw new InvalidImageError('not-an-image', `not a readable image: ${message}`, { cause });
  }
  const { format, width, height, space, depth, pages = 1 } = header;
  const chunks = format === 'png' ? pngChunks(bytes) : undefined;
  if (pages > 1 || chunks?.has(ACTL)) {
    throw new InvalidImageError('animated', 'several images in one file; one is expected');
  }
  if (format === undefined || !FORMATS.has(format)) {
    throw new InvalidImageError('not-an-image', `images of type ${format} are not taken`);
  }
  if (width !== IMAGE_SIDE_PX || height !== IMAGE_SIDE_PX) {
    throw new InvalidImageError('wrong-size', `${width} × ${height} pixels, not ${IMAGE_SIDE_PX} × ${IMAGE_SIDE_PX}`);
  }
  if (DEEP_COLOUR_SPACES.has(space) || depth !== 'uchar') {
    throw new InvalidImageError('bit-depth', `${depth} samples in ${space}, not 8 bits`);
  }
  if (!COLOUR_SPACES.has(space)) throw new InvalidImageError('colour-space', `${space} is neither grey nor RGB`);
  if (chunks?.has(IEND) === false) throw new InvalidImageError('corrupt', 'the image is cut off');
  return header;
}

/**
 * The kinds of a PNG file's chunks, as numbers, up to where it ends or is cut off. libvips neither knows those of
 * animations nor misses the last one.
 */
function pngChunks(bytes: Uint8Array): Set<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kinds = new Set<number>();
  for (let at = PNG_SIGNATURE_BYTES; at + PNG_CHUNK_FRAME_BYTES <= bytes.length && !kinds.has(IEND); ) {
    kinds.add(view.getUint32(at + 4));
    at += PNG_CHUNK_FRAME_BYTES + view.getUint32(at);
  }
  return kinds;
}

/** Colour profiles are left aside: they say how a screen should show the bytes, and Triton's decoder knows none. */
function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', limitInputPixels: HEADER_PIXELS_MAX, pages: 1, ignoreIcc: true });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
