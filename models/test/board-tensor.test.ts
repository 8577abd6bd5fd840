import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { shiftImage } from '../src/boards/acquisition.ts';
import { generateBoard } from '../src/boards/index.ts';
import { alignGolden } from '../src/images/align-golden.ts';
import { fillImage, TENSOR_LENGTH } from '../src/images/board-tensor.ts';

/** What alignment is, pixel by pixel. */
function plainAlign(board: Uint8Array, golden: Uint8Array): Uint8Array {
  const profile = (image: Uint8Array, place: (i: number) => number) => {
    const sums = new Array<number>(IMAGE_SIDE_PX).fill(0);
    for (let i = 0; i < IMAGE_PIXELS; i += 1) sums[place(i)] = (sums[place(i)] as number) + (image[i] as number);
    return sums;
  };
  const shiftAlong = (place: (i: number) => number) => {
    const [ours, theirs] = [profile(board, place), profile(golden, place)];
    const costs = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5].map((shift) => {
      let cost = 0;
      for (let i = 5; i < 635; i += 1) cost += Math.abs((ours[i] as number) - (theirs[i - shift] as number));
      return { shift, cost };
    });
    return costs.reduce((best, each) => (each.cost < best.cost ? each : best)).shift;
  };
  const difference = (image: Uint8Array) =>
    image.reduce((sum, value, i) => sum + Math.abs(value - (board[i] as number)), 0);
  const moved = shiftImage(
    golden,
    shiftAlong((i) => i % IMAGE_SIDE_PX),
    shiftAlong((i) => Math.floor(i / IMAGE_SIDE_PX)),
  );
  return difference(moved) * 100 < difference(golden) * 90 ? moved : golden;
}

function plainTensor(board: Uint8Array, golden: Uint8Array | undefined): Float32Array {
  const tensor = new Float32Array(TENSOR_LENGTH);
  const aligned = golden === undefined ? undefined : plainAlign(board, golden);
  for (let i = 0; i < IMAGE_PIXELS; i += 1) {
    tensor[i] = (board[i] as number) / 255;
    if (aligned === undefined) continue;
    tensor[IMAGE_PIXELS + i] = (aligned[i] as number) / 255;
    tensor[2 * IMAGE_PIXELS + i] = Math.abs((tensor[i] as number) - (tensor[IMAGE_PIXELS + i] as number));
  }
  return tensor;
}

/** The same bytes at a place that is no multiple of a word. */
function unaligned(image: Uint8Array): Uint8Array {
  const place = new Uint8Array(IMAGE_PIXELS + 3).subarray(3);
  place.set(image);
  return place;
}

const { image, golden } = generateBoard({ seed: 4, partSeed: 4, defective: true });
const noise = Uint8Array.from({ length: IMAGE_PIXELS }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
const noisy = shiftImage(
  noise.map((value, i) => (i % 7 === 0 ? 255 - value : value)),
  4,
  -2,
);
const white = new Uint8Array(IMAGE_PIXELS).fill(255);
const cases: readonly (readonly [string, Uint8Array, Uint8Array | undefined])[] = [
  ['a board and its golden image', image, golden],
  ['a golden image that is off', image, shiftImage(golden, -5, 3)],
  ['bytes of all values', noise, noisy],
  ['the largest sums', white, white],
  ['the largest differences', white, new Uint8Array(IMAGE_PIXELS)],
  ['no golden image', noise, undefined],
];

test.each(cases)('the tensor is that of plain arithmetic, bit for bit: %s', (_name, board, template) => {
  const wanted = Buffer.from(plainTensor(board, template).buffer);
  const filled = (ours: Uint8Array, theirs: Uint8Array | undefined, offset: number) => {
    const target = new Float32Array(TENSOR_LENGTH + offset).fill(7).subarray(offset);
    fillImage(target, ours, theirs);
    return Buffer.from(target.buffer, target.byteOffset, target.byteLength);
  };
  expect(filled(board, template, 0).equals(wanted)).toBe(true);
  expect(filled(unaligned(board), template && unaligned(template), 1).equals(wanted)).toBe(true);
});

test('noise is laid where it was taken from', () => {
  expect(alignGolden(noise, noisy)).not.toBe(noisy);
});
