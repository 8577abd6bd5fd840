import { expect, test } from 'vitest';
import { LruOfParts } from '../../src/boards/part-cache.ts';

test('draws a part again only when sixteen others were used since', () => {
  const made: number[] = [];
  const parts = new LruOfParts((seed) => {
    made.push(seed);
    return { ideal: new Uint8Array(), golden: new Uint8Array() };
  });
  for (let seed = 0; seed < 16; seed += 1) parts.get(seed);
  parts.get(0);
  expect(made.length).toBe(16);
  parts.get(16);
  parts.get(0);
  expect(made.length).toBe(17);
  parts.get(1);
  expect(made.at(-1)).toBe(1);
});
