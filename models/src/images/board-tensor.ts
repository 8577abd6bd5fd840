import { IMAGE_PIXELS } from '@chip-quality/schemas';
import { alignGolden } from './align-golden.ts';

/** Channels of the detector's input: board, golden image, their absolute difference. */
export const CHANNELS = 3;
/** Numbers of one image in the detector's input tensor. */
export const TENSOR_LENGTH = CHANNELS * IMAGE_PIXELS;

/** Two bytes are one load and one store: half of the time of one after the other. */
const PAIRS = IMAGE_PIXELS / 2;
const SCALED = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
/** Of every two bytes (the first is the lower one) their numbers of 0..1, as one: no two such have the bits of a NaN. */
const SCALED_PAIRS = new Float64Array(
  Float32Array.from({ length: 2 * 65536 }, (_, i) => SCALED[i % 2 === 0 ? (i >>> 1) & 0xff : i >>> 9] as number).buffer,
);
/** Of every two bytes the absolute difference of their numbers. */
const DIFFERENCES = Float32Array.from({ length: 65536 }, (_, pair) =>
  Math.abs((SCALED[pair >>> 8] as number) - (SCALED[pair & 0xff] as number)),
);

/**
 * Fills the tensor of one image ({@link TENSOR_LENGTH} floats) from greyscale bytes ({@link IMAGE_PIXELS}
 * each), the golden image laid on the board first; golden and difference are zero without one.
 */
export function fillImage(target: Float32Array, board: Uint8Array, golden: Uint8Array | undefined): void {
  if (target.byteOffset % Float64Array.BYTES_PER_ELEMENT !== 0) {
    // A place in a message; there is room for pairs in a tensor of its own.
    const own = new Float32Array(TENSOR_LENGTH);
    fillImage(own, board, golden);
    target.set(own);
    return;
  }
  const pairs = new Float64Array(target.buffer, target.byteOffset, TENSOR_LENGTH / 2);
  const boardPairs = pairsOf(board);
  for (let i = 0; i < PAIRS; i += 1) pairs[i] = SCALED_PAIRS[boardPairs[i] as number] as number;
  if (golden === undefined) {
    target.fill(0, IMAGE_PIXELS);
    return;
  }
  const goldenPairs = pairsOf(alignGolden(board, golden));
  for (let i = 0, at = 2 * IMAGE_PIXELS; i < PAIRS; i += 1, at += 2) {
    const ours = boardPairs[i] as number;
    const theirs = goldenPairs[i] as number;
    pairs[PAIRS + i] = SCALED_PAIRS[theirs] as number;
    target[at] = DIFFERENCES[((ours & 0xff) << 8) | (theirs & 0xff)] as number;
    target[at + 1] = DIFFERENCES[(ours & 0xff00) | (theirs >>> 8)] as number;
  }
}

function pairsOf(image: Uint8Array): Uint16Array {
  const isAligned = image.byteOffset % Uint16Array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset } = isAligned ? image : image.slice();
  return new Uint16Array(buffer, byteOffset, PAIRS);
}
