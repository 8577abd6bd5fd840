import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { shiftImage } from '../boards/acquisition.ts';

/** Cameras and fixtures are trusted to this many pixels a side; further off, a search finds false matches. */
const SHIFT_PX_MAX = 5;
/** Nearest first, so that of equally good shifts the smallest is taken. */
const SHIFTS_PX: readonly number[] = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5];
/** A move must leave less than nine tenths of the difference: on plain boards the sums alone say too little. */
const WORTH_PERCENT = 90;

/**
 * Pixels are summed four at a time, as words of 32 bits (the lowest byte is the first pixel): the bytes at even places
 * and those at odd places are two pairs of 16-bit lanes, so that one addition adds two pixels.
 */
const PIXELS_A_WORD = 4;
const WORDS_A_ROW = IMAGE_SIDE_PX / PIXELS_A_WORD;
const LANES = 0x00ff00ff;
/** 1 in each lane. */
const ONES = 0x00010001;
/** 256 in each lane: keeps a difference of two bytes above zero. */
const ABOVE = 0x01000100;
/** So many bytes fit into a lane (65,535 = 257 × 255); rows whose sum of columns is unpacked at once. */
const ROWS_A_SUM = 257;
/** Words of two bytes a lane that fit; divides a row's words and an image's. */
const WORDS_A_SUM = 80;

/** Sums of rows and columns; whole numbers, so that every implementation finds the same shift. */
interface Profiles {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/**
 * The golden image moved by whole pixels, up to {@link SHIFT_PX_MAX} a side, to where it lies best on the
 * board; itself where that is where it is. Compares sums of rows and of columns, then checks the shift on
 * the whole images. `repository/preprocess_boards/1/model.py` does exactly the same.
 */
export function alignGolden(board: Uint8Array, golden: Uint8Array): Uint8Array {
  const [boardWords, goldenWords] = [wordsOf(board), wordsOf(golden)];
  const [b, g] = [profilesOf(boardWords), profilesOf(goldenWords)];
  const [dx, dy] = [bestShift(b.columns, g.columns), bestShift(b.rows, g.rows)];
  if (dx === 0 && dy === 0) return golden;
  const moved = shiftImage(golden, dx, dy);
  const isWorth = difference(boardWords, wordsOf(moved)) * 100 < difference(boardWords, goldenWords) * WORTH_PERCENT;
  return isWorth ? moved : golden;
}

/** The pixels by fours: a loop over words takes a third of the time of one over bytes. */
function wordsOf(image: Uint8Array): Uint32Array {
  const isAligned = image.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset } = isAligned ? image : image.slice();
  return new Uint32Array(buffer, byteOffset, IMAGE_PIXELS / PIXELS_A_WORD);
}

function profilesOf(words: Uint32Array): Profiles {
  const rows = new Uint32Array(IMAGE_SIDE_PX);
  const columns = new Uint32Array(IMAGE_SIDE_PX);
  const evens = new Uint32Array(WORDS_A_ROW);
  const odds = new Uint32Array(WORDS_A_ROW);
  for (let y = 0, at = 0; y < IMAGE_SIDE_PX; y += 1) {
    let sum = 0;
    for (let first = 0; first < WORDS_A_ROW; first += WORDS_A_SUM) {
      let lanes = 0;
      for (let x = first; x < first + WORDS_A_SUM; x += 1, at += 1) {
        const word = words[at] as number;
        const even = word & LANES;
        const odd = (word >>> 8) & LANES;
        evens[x] = (evens[x] as number) + even;
        odds[x] = (odds[x] as number) + odd;
        lanes += even + odd;
      }
      sum += sumOfLanes(lanes);
    }
    rows[y] = sum;
    if ((y + 1) % ROWS_A_SUM === 0 || y === IMAGE_SIDE_PX - 1) unpack(evens, odds, columns);
  }
  return { rows, columns };
}

function sumOfLanes(lanes: number): number {
  return (lanes & 0xffff) + (lanes >>> 16);
}

/** Adds the lanes to the columns they stand for and empties them. */
function unpack(evens: Uint32Array, odds: Uint32Array, columns: Uint32Array): void {
  for (let x = 0, at = 0; x < WORDS_A_ROW; x += 1, at += PIXELS_A_WORD) {
    const [even, odd] = [evens[x] as number, odds[x] as number];
    columns[at] = (columns[at] as number) + (even & 0xffff);
    columns[at + 1] = (columns[at + 1] as number) + (odd & 0xffff);
    columns[at + 2] = (columns[at + 2] as number) + (even >>> 16);
    columns[at + 3] = (columns[at + 3] as number) + (odd >>> 16);
  }
  evens.fill(0);
  odds.fill(0);
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

/** Sum of absolute differences. */
function difference(a: Uint32Array, b: Uint32Array): number {
  let sum = 0;
  for (let first = 0; first < a.length; first += WORDS_A_SUM) {
    let lanes = 0;
    for (let i = first; i < first + WORDS_A_SUM; i += 1) {
      const one = a[i] as number;
      const other = b[i] as number;
      lanes += differenceOfLanes(one & LANES, other & LANES);
      lanes += differenceOfLanes((one >>> 8) & LANES, (other >>> 8) & LANES);
    }
    sum += sumOfLanes(lanes);
  }
  return sum;
}

/** The absolute difference in each lane: 256 + a - b has its ninth bit where a is not less, else it is complemented. */
function differenceOfLanes(a: number, b: number): number {
  const raised = (a | ABOVE) - b;
  const isLess = ((raised >>> 8) & ONES) ^ ONES;
  return ((raised & LANES) ^ ((isLess << 8) - isLess)) + isLess;
}
