import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '../../src/index.ts';

const BOUNDS = { minMs: 200, maxMs: 5_000 };

it('lies between half the ceiling and the ceiling, which doubles up to the limit and never shrinks', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, next) => {
      const ceilingMs = Math.min(200 * 2 ** Math.min(failures - 1, 100), 5_000);
      const waitMs = backoffMs(failures, BOUNDS, () => next);
      expect(waitMs).toBeGreaterThanOrEqual(ceilingMs / 2);
      expect(waitMs).toBeLessThanOrEqual(ceilingMs);
      expect(backoffMs(failures + 1, BOUNDS, () => next)).toBeGreaterThanOrEqual(waitMs);
    }),
  );
});

it('stays a number after 10,000 failures, and counts less than one failure as one', () => {
  expect(backoffMs(10_000, { minMs: 0, maxMs: 5_000 }, () => 0.5)).toBe(0);
  expect(backoffMs(10_000, BOUNDS, () => 0)).toBe(2_500);
  expect(backoffMs(0, BOUNDS, () => 0)).toBe(100);
});
