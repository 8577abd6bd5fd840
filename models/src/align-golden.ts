import { shiftImage } from './boards/acquisition.ts';
import { IMAGE_PIXELS, IMAGE_SIDE_PX } from './inference-port.ts';

/** Cameras and fixtures are trusted to this many pixels a side; further off, a search finds false matches. */
const SHIFT_PX_MAX = 5;
/** Nearest first, so that of equally good shifts the smallest is taken. */
const SHIFTS_PX: readonly number[] = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5];
/** A move must leave less than nine tenths of the difference: on plain boards the sums alone say too little. */
const WORTH_PERCENT = 90;

/** Sums of rows and columns; whole numbers, so that every implementation finds the same shift. */
interface Profiles {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/**
 * The golden image moved by whole pixels, up to {@link SHIFT_PX_MAX} a side, to where it lies best on the
 * board; itself where that is where it is. Compares sums of rows and of columns, then checks the shift on
 * the whole images; about a CPU-millisecond. `repository/preprocess_boards/1/model.py` does exactly the same.
 */
export function alignGolden(board: Uint8Array, golden: Uint8Array): Uint8Array {
  const [b, g] = [profilesOf(board), profilesOf(golden)];
  const [dx, dy] = [bestShift(b.columns, g.columns), bestShift(b.rows, g.rows)];
  if (dx === 0 && dy === 0) return golden;
  const moved = shiftImage(golden, dx, dy);
  return difference(board, moved) * 100 < difference(board, golden) * WORTH_PERCENT ? moved : golden;
}

function profilesOf(image: Uint8Array): Profiles {
  const rows = new Uint32Array(IMAGE_SIDE_PX);
  const columns = new Uint32Array(IMAGE_SIDE_PX);
  for (let y = 0, at = 0; y < IMAGE_SIDE_PX; y += 1) {
    let sum = 0;
    for (let x = 0; x < IMAGE_SIDE_PX; x += 1, at += 1) {
      const value = image[at] as number;
      sum += value;
      columns[x] = (columns[x] as number) + value;
    }
    rows[y] = sum;
  }
  return { rows, columns };
}

function bestShift(board: Uint32Array, golden: Uint32Array): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const shift of SHIFTS_PX) {
    let sum = 0;
    for (let i = SHIFT_PX_MAX; i < IMAGE_SIDE_PX - SHIFT_PX_MAX; i += 1) {
      sum += Math.abs((board[i] as number) - (golden[i - shift] as number));
    }
    if (sum < least) {
      least = sum;
      best = shift;
    }
  }
  return best;
}

function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < IMAGE_PIXELS; i += 1) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum;
}
