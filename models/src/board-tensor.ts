import { alignGolden } from './align-golden.ts';
import { IMAGE_PIXELS } from './inference-port.ts';

/** Channels of the detector's input: board, golden image, their absolute difference. */
export const CHANNELS = 3;
/** Numbers of one image in the detector's input tensor. */
export const TENSOR_LENGTH = CHANNELS * IMAGE_PIXELS;

/** Bytes to 0..1 by table: a third of the time of dividing. */
const SCALED = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Fills the tensor of one image ({@link TENSOR_LENGTH} floats) from greyscale bytes ({@link IMAGE_PIXELS}
 * each), the golden image laid on the board first; golden and difference are zero without one.
 */
export function fillImage(target: Float32Array, board: Uint8Array, golden: Uint8Array | undefined): void {
  for (let i = 0; i < IMAGE_PIXELS; i += 1) target[i] = SCALED[board[i] as number] as number;
  if (golden === undefined) {
    target.fill(0, IMAGE_PIXELS);
    return;
  }
  const aligned = alignGolden(board, golden);
  for (let i = 0; i < IMAGE_PIXELS; i += 1) {
    const scaled = SCALED[aligned[i] as number] as number;
    target[IMAGE_PIXELS + i] = scaled;
    target[2 * IMAGE_PIXELS + i] = Math.abs((target[i] as number) - scaled);
  }
}
