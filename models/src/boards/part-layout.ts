import { IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { BARE, blankImage, COPPER, fillDisc, fillRect, isDiscOf, type Point, strokePath, transpose } from './raster.ts';
import type { SeededRandom } from './seeded-random.ts';

type Layout = (random: SeededRandom) => Uint8Array;

/** Tries at placing a loose via, pad or hole before it is left out: a full board has no room. */
const PLACEMENT_TRIES = 12;

const LAYOUTS: readonly [Layout, ...Layout[]] = [busBoard, footprintBoard, planeBoard, powerBoard];

/**
 * Draws the ideal copper of one part: a bi-level image of one of four manners of layout (parallel
 * buses, chip footprints with fan-out, copper planes with routed gaps, power boards), lying or
 * standing. Everything depends on the generator given, so a part's seed fixes its layout.
 */
export function drawPart(random: SeededRandom): Uint8Array {
  const image = random.pick(LAYOUTS)(random);
  return random.chance(0.5) ? transpose(image) : image;
}

/** Bundles of parallel tracks with 45° jogs, pads at some ends, vias in the gaps. */
function busBoard(random: SeededRandom): Uint8Array {
  const image = blankImage();
  let top = random.between(-30, 20);
  while (top < IMAGE_SIDE_PX) {
    const width = random.between(6, 15);
    const pitch = width + random.between(9, 18);
    const tracks = random.integer(2, 7);
    const jog = random.between(0, 90) * (random.chance(0.5) ? 1 : 0);
    const bend = random.between(120, 460);
    const rightEnd = random.chance(0.35) ? random.between(480, 620) : 660;
    for (let i = 0; i < tracks; i += 1) {
      const y = top + i * pitch;
      // Offsetting the bend by tan(22.5°) keeps the distance between diagonal tracks too.
      const x = bend - i * pitch * 0.4142;
      const path: Point[] = [
        { x: -10, y },
        { x, y },
        { x: x + jog, y: y + jog },
        { x: rightEnd, y: y + jog },
      ];
      strokePath(image, path, width, COPPER);
      if (rightEnd < 640) {
        fillDisc(image, { x: rightEnd, y: y + jog }, Math.min(width, pitch / 2 - 4), COPPER);
      }
    }
    top += tracks * pitch + jog + random.between(26, 80);
  }
  scatterVias(image, random, random.integer(4, 14));
  return image;
}

/** Chips: rows of pins, each pin with a track to a via or to the board's edge. */
function footprintBoard(random: SeededRandom): Uint8Array {
  const image = blankImage();
  const pinWidth = random.between(9, 18);
  const pitch = pinWidth + random.between(11, 20);
  const pinLength = random.between(38, 75);
  const trackWidth = Math.min(random.between(6, 11), pinWidth);
  const pins = Math.floor(random.between(320, 560) / pitch);
  const left = random.between(40, 640 - pins * pitch);
  let y = random.between(70, 150);
  while (y < 620) {
    const up = random.integer(20, 60);
    for (let i = 0; i < pins; i += 1) {
      const x = left + i * pitch;
      fillRect(image, x - pinWidth / 2, y, pinWidth, pinLength, COPPER);
      if (random.chance(0.3)) continue;
      const lead = up + (i % 3) * 24;
      strokePath(
        image,
        [
          { x, y },
          { x, y: y - lead },
        ],
        trackWidth,
        COPPER,
      );
      if (random.chance(0.75)) fillDisc(image, { x, y: y - lead }, trackWidth * 0.9 + 2, COPPER);
      if (random.chance(0.5)) {
        strokePath(
          image,
          [
            { x, y: y + pinLength },
            { x, y: y + pinLength + 24 },
          ],
          trackWidth,
          COPPER,
        );
      }
    }
    y += pinLength + up + random.between(90, 190);
  }
  scatterPads(image, random, random.integer(3, 10));
  scatterVias(image, random, random.integer(5, 16));
  return image;
}

/** A copper plane cut by routed gaps, with cleared holes and islands in them. */
function planeBoard(random: SeededRandom): Uint8Array {
  const image = blankImage(COPPER);
  const gap = random.between(10, 22);
  let y = random.between(20, 70);
  while (y < 640) {
    const path: Point[] = [{ x: -20, y }];
    let x = 0;
    let level = y;
    while (x < 660) {
      x += random.between(70, 200);
      path.push({ x, y: level });
      const step = random.between(24, 48) * (level > y ? -1 : 1);
      if (random.chance(0.6)) {
        const slant = random.chance(0.4) ? Math.abs(step) : 0;
        level += step;
        x += slant;
        path.push({ x, y: level });
      }
    }
    strokePath(image, path, gap, BARE);
    y += random.between(75, 150);
  }
  for (let i = random.integer(2, 8); i > 0; i -= 1) {
    const centre = { x: random.between(0, 640), y: random.between(0, 640) };
    const radius = random.between(18, 34);
    if (!isDiscOf(image, centre, radius + gap + 8, COPPER)) continue;
    fillDisc(image, centre, radius + gap, BARE);
    fillDisc(image, centre, radius, COPPER);
    if (random.chance(0.5)) fillDisc(image, centre, radius * 0.4, BARE);
  }
  return image;
}

/** Few, large shapes: thick arms, big pads with drill holes, rings. */
function powerBoard(random: SeededRandom): Uint8Array {
  const image = blankImage();
  const columns = random.integer(3, 5);
  const rows = random.integer(3, 4);
  const stepX = 640 / columns;
  const stepY = 640 / rows;
  const holes: { centre: Point; radius: number }[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const centre = {
        x: (column + 0.5) * stepX + random.between(-12, 12),
        y: (row + 0.5) * stepY + random.between(-12, 12),
      };
      const size = random.between(0.24, 0.36) * Math.min(stepX, stepY);
      if (random.chance(0.5)) fillDisc(image, centre, size, COPPER);
      else fillRect(image, centre.x - size, centre.y - size, 2 * size, 2 * size, COPPER);
      if (random.chance(0.6)) holes.push({ centre, radius: random.between(7, size * 0.4) });
      const arm = random.between(10, 34);
      const across = random.chance(0.6);
      const down = !across && random.chance(0.6);
      if (across) strokePath(image, [centre, { x: centre.x + stepX, y: centre.y }], arm, COPPER);
      if (down) strokePath(image, [centre, { x: centre.x, y: centre.y + stepY }], arm, COPPER);
    }
  }
  for (const { centre, radius } of holes) fillDisc(image, centre, radius, BARE);
  scatterVias(image, random, random.integer(3, 12));
  return image;
}

/** Round vias on bare ground, some of them rings. */
function scatterVias(image: Uint8Array, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const radius = random.between(8, 19);
    const centre = findRoom(image, random, radius + 11);
    if (centre === undefined) continue;
    fillDisc(image, centre, radius, COPPER);
    if (radius > 13 && random.chance(0.6)) fillDisc(image, centre, radius * 0.42, BARE);
  }
}

/** Pairs of rectangular pads, as of resistors and capacitors. */
function scatterPads(image: Uint8Array, random: SeededRandom, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const side = random.between(18, 34);
    const centre = findRoom(image, random, side * 1.8 + 10);
    if (centre === undefined) continue;
    fillRect(image, centre.x - side * 1.4, centre.y - side / 2, side, side, COPPER);
    fillRect(image, centre.x + side * 0.4, centre.y - side / 2, side, side, COPPER);
    if (random.chance(0.5)) {
      const bridge = [
        { x: centre.x + side * 0.9, y: centre.y },
        { x: centre.x + side * 0.9, y: centre.y + side * 1.5 },
      ];
      strokePath(image, bridge, random.between(6, 10), COPPER);
    }
  }
}

/** A point with bare ground all around, or `undefined` when none was met. */
function findRoom(image: Uint8Array, random: SeededRandom, radius: number): Point | undefined {
  for (let tries = 0; tries < PLACEMENT_TRIES; tries += 1) {
    const centre = { x: random.between(0, 640), y: random.between(0, 640) };
    if (isDiscOf(image, centre, radius, BARE)) return centre;
  }
  return undefined;
}
