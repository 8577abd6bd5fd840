import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { CHANNELS } from '../images/board-tensor.ts';
import { DETECTION_COLUMNS, NOT_ASKED, OPINION_COLUMNS } from './read-detections.ts';

/** The model that is asked, in the same repository as the detector. */
export const CLASSIFIER = 'classification_model';
/** Names of its tensors: `crops` FP32 [N, 3, 64, 64], `probabilities` FP32 [N, classes + 1]. */
export const CROPS_NAME = 'crops';
/** See {@link CROPS_NAME}. */
export const PROBABILITIES_NAME = 'probabilities';
/** Side of a crop, pixels. */
export const CROP_SIDE_PX = 64;
const CROP_PIXELS = CROP_SIDE_PX * CROP_SIDE_PX;
/** Numbers of one crop. */
export const CROP_LENGTH = CHANNELS * CROP_PIXELS;
/** How much longer the window is than the box's longer side. */
const MARGIN = 1.25;
/**
 * Nobody asks about less sure detections, as in `repository/classify_defects`: far below every verdict threshold, and most of
 * the hundred rows of a board are.
 */
const CONFIDENCE_MIN = 0.1;

/** Which rows of one image's detections get a second opinion: those from the caller's threshold on. */
export function rowsToAsk(rows: Float32Array, confidenceThreshold: number): number[] {
  // As a float: 0.1 in the server's numpy is.
  const from = Math.fround(Math.max(confidenceThreshold, CONFIDENCE_MIN));
  const asked: number[] = [];
  for (let row = 0; row * DETECTION_COLUMNS < rows.length; row += 1) {
    if ((rows[row * DETECTION_COLUMNS + 4] as number) >= from) asked.push(row);
  }
  return asked;
}

/**
 * Cuts the windows around some rows' boxes out of one image's tensor, one crop after the other: a square around the centre,
 * a quarter longer than the box's longer side and at least 64 px, moved into the image, resized to 64 px bilinearly. The rule is
 * training's (`training/classifier.py`) and the server's (`repository/classify_defects`), to the last bit of rounding.
 */
export function cutCrops(image: Float32Array, rows: Float32Array, asked: readonly number[]): Float32Array {
  const crops = new Float32Array(asked.length * CROP_LENGTH);
  for (const [i, row] of asked.entries()) {
    const at = row * DETECTION_COLUMNS;
    cutCrop(image, rows.subarray(at, at + 4), crops.subarray(i * CROP_LENGTH, (i + 1) * CROP_LENGTH));
  }
  return crops;
}

/** What the classifier says of the asked rows, as the `second_opinions` rows of one image. */
export function opinionRows(rowCount: number, asked: readonly number[], probabilities: Float32Array): Float32Array {
  const opinions = new Float32Array(rowCount * OPINION_COLUMNS);
  for (let row = 0; row < rowCount; row += 1) opinions[row * OPINION_COLUMNS] = NOT_ASKED;
  const classes = probabilities.length / asked.length;
  for (const [i, row] of asked.entries()) {
    const mine = probabilities.subarray(i * classes, (i + 1) * classes);
    const probability = mine.reduce((most, each) => Math.max(most, each), 0);
    opinions.set([mine.indexOf(probability), probability], row * OPINION_COLUMNS);
  }
  return opinions;
}

function cutCrop(image: Float32Array, box: Float32Array, target: Float32Array): void {
  const [x1, y1, x2, y2] = box as unknown as [number, number, number, number];
  const longer = Math.max(x2 - x1, y2 - y1);
  const side = roundHalfEven(Math.min(Math.max(CROP_SIDE_PX, MARGIN * longer), IMAGE_SIDE_PX));
  const left = corner((x1 + x2) / 2, side);
  const top = corner((y1 + y2) / 2, side);
  const scale = side / CROP_SIDE_PX;
  const places = Array.from({ length: CROP_SIDE_PX }, (_, i) => {
    const at = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), side - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, side - 1), share: Math.fround(at - low) };
  });
  let to = 0;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    for (const y of places) {
      const upper = channel * IMAGE_PIXELS + (top + y.low) * IMAGE_SIDE_PX + left;
      const lower = channel * IMAGE_PIXELS + (top + y.high) * IMAGE_SIDE_PX + left;
      for (const x of places) {
        const l = between(image[upper + x.low], image[lower + x.low], y.share);
        const r = between(image[upper + x.high], image[lower + x.high], y.share);
        target[to] = between(l, r, x.share);
        to += 1;
      }
    }
  }
}

function corner(centre: number, side: number): number {
  return Math.min(Math.max(roundHalfEven(centre - side / 2), 0), IMAGE_SIDE_PX - side);
}

function between(a: number | undefined, b: number | undefined, share: number): number {
  return (a as number) * (1 - share) + (b as number) * share;
}

/** As Python rounds: windows of the same box must be the same wherever they are cut. */
function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}
