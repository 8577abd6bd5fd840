import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { BARE, COPPER } from './raster.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Cell of the threshold field in pixels: edges waver at this scale, as on the real scans. */
const FIELD_CELL_PX = 4;
const FIELD_CELLS = IMAGE_SIDE_PX / FIELD_CELL_PX;

/** The image moved by whole pixels; the border is repeated. */
export function shiftImage(image: Uint8Array, dx: number, dy: number): Uint8Array {
  if (dx === 0 && dy === 0) return image.slice();
  const moved = new Uint8Array(IMAGE_PIXELS);
  const last = IMAGE_SIDE_PX - 1;
  for (let y = 0; y < IMAGE_SIDE_PX; y += 1) {
    const from = Math.min(last, Math.max(0, y - dy)) * IMAGE_SIDE_PX;
    const to = y * IMAGE_SIDE_PX;
    moved.set(image.subarray(from, from + IMAGE_SIDE_PX), to);
    if (dx !== 0) {
      moved.copyWithin(to + Math.max(0, dx), to + Math.max(0, -dx), to + IMAGE_SIDE_PX - Math.max(0, dx));
      const border = image[from + (dx > 0 ? 0 : last)] as number;
      if (dx > 0) moved.fill(border, to, to + dx);
      else moved.fill(border, to + IMAGE_SIDE_PX + dx, to + IMAGE_SIDE_PX);
    }
  }
  return moved;
}

/**
 * What a camera and a binariser make of ideal copper: a 3 × 3 blur against a threshold that wavers
 * over the board, so that edges move by up to a pixel and nothing else changes.
 */
export function thresholdNoise(image: Uint8Array, random: SeededRandom): Uint8Array {
  const field = new Uint8Array(FIELD_CELLS * FIELD_CELLS);
  // Of nine pixels, how many must be bare for the middle one to be seen as bare: 3 to 7.
  const bias = random.between(-0.5, 0.5);
  for (let i = 0; i < field.length; i += 1) {
    field[i] = Math.round(5 + bias + random.between(-2, 2));
  }
  const seen = image.slice();
  const side = IMAGE_SIDE_PX;
  const columns = new Uint8Array(side);
  for (let y = 1; y < side - 1; y += 1) {
    const row = y * side;
    for (let x = 0; x < side; x += 1) {
      const i = row + x;
      // BARE is 255, so the lowest bit of a pixel says whether it is bare.
      columns[x] = ((image[i - side] as number) & 1) + ((image[i] as number) & 1) + ((image[i + side] as number) & 1);
    }
    const fieldRow = (y >> 2) * FIELD_CELLS;
    for (let x = 1; x < side - 1; x += 1) {
      const sum = (columns[x - 1] as number) + (columns[x] as number) + (columns[x + 1] as number);
      if (sum !== 0 && sum !== 9) {
        seen[row + x] = sum >= (field[fieldRow + (x >> 2)] as number) ? BARE : COPPER;
      }
    }
  }
  return seen;
}
