import { readFile } from 'node:fs/promises';
import { IMAGE_PIXELS } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { shiftImage } from '../src/boards/acquisition.ts';
import { generateBoard } from '../src/boards/index.ts';
import { alignGolden } from '../src/images/align-golden.ts';

test('a golden image that is up to 4 px off is laid on the board, whatever is wrong with the board', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { golden, image } = generateBoard({ seed, partSeed: seed, defective: true });
    const where = alignGolden(image, golden);
    for (const [dx, dy] of [
      [4, -3],
      [-2, 0],
      [-4, 4],
    ] as const) {
      const aligned = alignGolden(image, shiftImage(golden, dx, dy));
      // The border that the shift repeated cannot come back.
      const rows = Array.from({ length: 624 }, (_, i) => (i + 8) * 640);
      const same = rows.every(
        (at) => Buffer.compare(aligned.subarray(at + 8, at + 632), where.subarray(at + 8, at + 632)) === 0,
      );
      expect(same).toBe(true);
    }
  }
});

test('a golden image that fits no better elsewhere stays where it is', () => {
  const { golden, image } = generateBoard({ seed: 3, partSeed: 3, defective: false });
  expect(alignGolden(golden, golden)).toBe(golden);
  const plain = new Uint8Array(IMAGE_PIXELS).fill(255);
  expect(alignGolden(plain, plain)).toBe(plain);
  const other = generateBoard({ seed: 3, partSeed: 12, defective: false }).golden;
  expect(alignGolden(image, other)).toBe(other);
});

test('Triton aligns by the same limits', async () => {
  const [here, there] = await Promise.all([
    readFile(new URL('../src/images/align-golden.ts', import.meta.url), 'utf8'),
    readFile(new URL('../repository/preprocess_boards/1/model.py', import.meta.url), 'utf8'),
  ]);
  for (const name of ['SHIFT_PX_MAX', 'WORTH_PERCENT']) {
    const value = (text: string) => new RegExp(`\\b${name} = (\\d+)`).exec(text)?.[1];
    expect(value(there)).toBe(value(here));
    expect(value(here)).toBeDefined();
  }
});
