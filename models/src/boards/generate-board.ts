import { shiftImage, thresholdNoise } from './acquisition.ts';
import { type BoardDefect, DEFECT_LABELS, placeDefect } from './defect-placement.ts';
import { LruOfParts, type Part } from './part-cache.ts';
import { drawPart } from './part-layout.ts';
import { SeededRandom } from './seeded-random.ts';

/** What to make: see {@link generateBoard}. */
export interface BoardRequest {
  /** Fixes everything about this one board. */
  readonly seed: number;
  /** Fixes the part: all boards of a part share layout and golden image. */
  readonly partSeed: number;
  /** True: it has at least one defect. False: it has none, but noise and, half the time, a shift of one pixel. */
  readonly defective: boolean;
  /** Most defects on a defective board; it gets 1 to this many. Default 3. */
  readonly defectsMax?: number;
}

/** A board as the camera would see it, the golden image of its part, and what is wrong with it. */
export interface GeneratedBoard {
  /** 640 × 640 bytes, 0 (copper) or 255 (bare). */
  readonly image: Uint8Array;
  /** As `image`; the very same bytes for every board of a part. Shared: do not write to it. */
  readonly golden: Uint8Array;
  /** Boxes in pixels of `image`; empty exactly when the board is not defective. */
  readonly defects: readonly BoardDefect[];
}

const DEFECTS_MAX = 3;
/** Kept separate from the board's own seed, so that equal numbers do not give equal sequences. */
const PART_STREAM = 1;
const BOARD_STREAM = 2;
/** Share of boards that lie exactly on the golden image; the others are off by one pixel. */
const ALIGNED_SHARE = 0.5;

const parts = new LruOfParts(makePart);

/**
 * Makes one demonstration board in the manner of the DeepPCB scans: bi-level copper of one of four
 * layouts, off by at most a pixel from its golden image, with threshold noise on the edges and, when
 * `defective`, at least one of the six defect kinds. Equal requests give equal bytes. About 5 ms;
 * the first board of a part takes a few more.
 */
export function generateBoard(request: BoardRequest): GeneratedBoard {
  const part = parts.get(request.partSeed);
  const random = new SeededRandom(BOARD_STREAM, request.partSeed, request.seed);
  const aligned = random.chance(ALIGNED_SHARE);
  const dx = aligned ? 0 : random.integer(-1, 1);
  const dy = aligned ? 0 : random.integer(-1, 1);
  const ideal = shiftImage(part.ideal, dx, dy);
  const defects: BoardDefect[] = [];
  let board = ideal;
  if (request.defective) {
    board = ideal.slice();
    const wanted = random.integer(1, request.defectsMax ?? DEFECTS_MAX);
    // Every layout has room for a bite, so the loop ends; the bound is for the caller's `defectsMax`.
    for (let tries = 0; tries < 4 * wanted + 40 && defects.length < wanted; tries += 1) {
      const placed = placeDefect(board, ideal, random.pick(DEFECT_LABELS), defects, random);
      if (placed !== undefined) defects.push(placed);
    }
  }
  return { image: thresholdNoise(board, random), golden: part.golden, defects };
}

function makePart(partSeed: number): Part {
  const random = new SeededRandom(PART_STREAM, partSeed);
  const ideal = drawPart(random);
  return { ideal, golden: thresholdNoise(ideal, random) };
}
