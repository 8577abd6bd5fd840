import { IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { BARE, COPPER, fillDisc, isDiscOf, type Point, pixelAt } from './raster.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The six defect kinds of the DeepPCB data set, in the order of the model's class ids. */
export const DEFECT_LABELS = ['open', 'short', 'mousebite', 'spur', 'spurious_copper', 'pin_hole'] as const;

/** One of {@link DEFECT_LABELS}. */
export type DefectLabel = (typeof DEFECT_LABELS)[number];

/** A defect put on a board: its box in whole pixels and its kind. */
export interface BoardDefect {
  /** Left edge of the box. */
  readonly x: number;
  /** Upper edge of the box. */
  readonly y: number;
  /** Width of the box, pixels. */
  readonly width: number;
  /** Height of the box, pixels. */
  readonly height: number;
  /** Which of DeepPCB's kinds it is. */
  readonly label: DefectLabel;
}

/** Random places tried for one defect before giving up: some layouts have no room for some kinds. */
const TRIES_MAX = 400;
/** DeepPCB's annotators drew boxes about this far around the mark. */
const BOX_MARGIN_PX = [7, 10] as const;
/** Boxes keep this distance from each other and from the image's edge, so that truth is unambiguous. */
const CLEARANCE_PX = 6;
/** Looking along a direction for the other side of a track or gap ends here. */
const PROBE_PX_MAX = 64;
/** How far a track must run on to both sides of a cut, and a gap beside a bridge. */
const LATERAL_PX = 9;

const DIRECTIONS: readonly Point[] = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
].map(([x = 0, y = 0]) => ({ x: x / Math.hypot(x, y), y: y / Math.hypot(x, y) }));

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

interface Mark {
  readonly discs: readonly Disc[];
  readonly value: number;
}

/** An edge of copper: the last copper pixel and the direction out of the copper. */
interface Edge {
  readonly at: Point;
  readonly out: Point;
}

/**
 * Puts one defect of the given kind on the board and returns it, or `undefined` when no place was
 * found. `ideal` is the part's copper as it should be (shifted as the board is): places are judged
 * on it, so that an earlier defect is never the reason for a later one.
 */
export function placeDefect(
  board: Uint8Array,
  ideal: Uint8Array,
  label: DefectLabel,
  taken: readonly BoardDefect[],
  random: SeededRandom,
): BoardDefect | undefined {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const start = { x: random.integer(14, 625), y: random.integer(14, 625) };
    const mark = markFor(label, ideal, start, random);
    if (mark === undefined) continue;
    const box = boxAround(mark, label, random);
    if (box === undefined || taken.some((other) => isTooClose(box, other))) continue;
    for (const disc of mark.discs) fillDisc(board, disc, disc.radius, mark.value);
    return box;
  }
  return undefined;
}

function markFor(label: DefectLabel, ideal: Uint8Array, start: Point, random: SeededRandom): Mark | undefined {
  switch (label) {
    case 'pin_hole':
      return looseMark(ideal, start, COPPER, random);
    case 'spurious_copper':
      return looseMark(ideal, start, BARE, random);
    case 'mousebite':
      return edgeMark(ideal, start, BARE, random);
    case 'spur':
      return edgeMark(ideal, start, COPPER, random);
    case 'open':
      return crossingMark(ideal, start, BARE, random);
    case 'short':
      return crossingMark(ideal, start, COPPER, random);
  }
}

/** A blob wholly inside copper (a hole) or wholly on bare ground (a speck). */
function looseMark(ideal: Uint8Array, start: Point, ground: number, random: SeededRandom): Mark | undefined {
  const radius = random.between(2.6, 5);
  const length = random.between(2, 12);
  if (!isDiscOf(ideal, start, radius + length / 2 + 4, ground)) return undefined;
  const angle = random.between(0, 2 * Math.PI);
  const direction = { x: Math.cos(angle), y: Math.sin(angle) };
  const from = { x: start.x - (direction.x * length) / 2, y: start.y - (direction.y * length) / 2 };
  return {
    discs: roughLine(from, direction, length, radius, random),
    value: ground === COPPER ? BARE : COPPER,
  };
}

/** A bite into an edge (value bare) or an outgrowth of it (value copper) that reaches nothing else. */
function edgeMark(ideal: Uint8Array, start: Point, value: number, random: SeededRandom): Mark | undefined {
  const edge = findEdge(ideal, start);
  if (edge === undefined) return undefined;
  const depth = random.between(6, 13);
  const sign = value === COPPER ? 1 : -1;
  const direction = { x: edge.out.x * sign, y: edge.out.y * sign };
  const tip = { x: edge.at.x + direction.x * depth, y: edge.at.y + direction.y * depth };
  // What remains between the tip and the far side must be visibly more than threshold noise.
  if (!isDiscOf(ideal, tip, 6, value === COPPER ? BARE : COPPER)) return undefined;
  const radius = random.between(2.6, 4.6);
  return { discs: roughLine(edge.at, direction, depth - radius * 0.5, radius, random), value };
}

/** A cut through a track (value bare) or a bridge over a gap (value copper), from side to side. */
function crossingMark(ideal: Uint8Array, start: Point, value: number, random: SeededRandom): Mark | undefined {
  const edge = findEdge(ideal, start);
  if (edge === undefined) return undefined;
  const sign = value === COPPER ? 1 : -1;
  const direction = { x: edge.out.x * sign, y: edge.out.y * sign };
  const through = value === COPPER ? BARE : COPPER;
  let distance = 1;
  while (distance < PROBE_PX_MAX) {
    const found = pixelAt(
      ideal,
      Math.round(edge.at.x + direction.x * distance),
      Math.round(edge.at.y + direction.y * distance),
    );
    if (found === undefined) return undefined;
    if (found !== through && distance > 1) break;
    distance += 1;
  }
  if (distance < 4 || distance > random.between(20, PROBE_PX_MAX)) return undefined;
  // Both banks must be real: a cut that only nicks a corner is no cut.
  const far = { x: edge.at.x + direction.x * (distance + 4), y: edge.at.y + direction.y * (distance + 4) };
  const near = { x: edge.at.x - direction.x * 4, y: edge.at.y - direction.y * 4 };
  if (!isDiscOf(ideal, far, 3, value) || !isDiscOf(ideal, near, 3, value)) return undefined;
  // In the middle it must be a track or gap that runs on to both sides, not the rim of a small shape.
  const half = distance / 2;
  for (const side of [-LATERAL_PX, LATERAL_PX]) {
    const beside = pixelAt(
      ideal,
      Math.round(edge.at.x + direction.x * half - direction.y * side),
      Math.round(edge.at.y + direction.y * half + direction.x * side),
    );
    if (beside !== through) return undefined;
  }
  const from = { x: edge.at.x - direction.x, y: edge.at.y - direction.y };
  return { discs: roughLine(from, direction, distance + 2, random.between(2, 5), random), value };
}

/** Walks from the start along each direction to the nearest copper edge that it meets squarely. */
function findEdge(ideal: Uint8Array, start: Point): Edge | undefined {
  let best: Edge | undefined;
  let bestDistance = PROBE_PX_MAX;
  const inside = pixelAt(ideal, start.x, start.y);
  for (const direction of DIRECTIONS) {
    for (let distance = 1; distance < bestDistance; distance += 1) {
      const x = Math.round(start.x + direction.x * distance);
      const y = Math.round(start.y + direction.y * distance);
      const found = pixelAt(ideal, x, y);
      if (found === undefined) break;
      if (found === inside) continue;
      // The nearest crossing over all directions is where the direction is closest to the normal.
      bestDistance = distance;
      best =
        inside === COPPER
          ? { at: { x: x - direction.x, y: y - direction.y }, out: direction }
          : { at: { x, y }, out: { x: -direction.x, y: -direction.y } };
      break;
    }
  }
  return best;
}

/** A line of overlapping discs of wavering size and course: marks on real boards are never smooth. */
function roughLine(from: Point, direction: Point, length: number, radius: number, random: SeededRandom): Disc[] {
  const discs: Disc[] = [];
  let sideways = 0;
  for (let along = 0; along <= length + 1e-9; along += 1.5) {
    sideways += random.between(-0.7, 0.7);
    discs.push({
      x: from.x + direction.x * along - direction.y * sideways,
      y: from.y + direction.y * along + direction.x * sideways,
      radius: Math.max(1.8, radius + random.between(-1, 1)),
    });
  }
  return discs;
}

function boxAround(mark: Mark, label: DefectLabel, random: SeededRandom): BoardDefect | undefined {
  const margin = random.integer(...BOX_MARGIN_PX);
  let [left, top, right, bottom] = [IMAGE_SIDE_PX, IMAGE_SIDE_PX, 0, 0];
  for (const { x, y, radius } of mark.discs) {
    left = Math.min(left, x - radius);
    top = Math.min(top, y - radius);
    right = Math.max(right, x + radius);
    bottom = Math.max(bottom, y + radius);
  }
  const x = Math.floor(left) - margin;
  const y = Math.floor(top) - margin;
  const width = Math.ceil(right) + margin - x;
  const height = Math.ceil(bottom) + margin - y;
  const limit = IMAGE_SIDE_PX - CLEARANCE_PX;
  if (x < CLEARANCE_PX || y < CLEARANCE_PX || x + width > limit || y + height > limit) {
    return undefined;
  }
  return { x, y, width, height, label };
}

function isTooClose(a: BoardDefect, b: BoardDefect): boolean {
  return (
    a.x < b.x + b.width + CLEARANCE_PX &&
    b.x < a.x + a.width + CLEARANCE_PX &&
    a.y < b.y + b.height + CLEARANCE_PX &&
    b.y < a.y + a.height + CLEARANCE_PX
  );
}
