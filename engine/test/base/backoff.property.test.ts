import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BackoffBounds, backoffMs } from '../../src/base/backoff.ts';

const failures = fc.integer({ min: 1, max: 10_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const bounds: fc.Arbitrary<BackoffBounds> = fc
  .tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }))
  .map(([minMs, moreMs]) => ({ minMs, maxMs: minMs + moreMs }));

const wait = (failed: number, within: BackoffBounds, next: number) => backoffMs(failed, within, { next: () => next });

describe('backoffMs', () => {
  it('lies between half the ceiling and the ceiling, and is never 0', () => {
    fc.assert(
      fc.property(failures, bounds, random, (failed, within, next) => {
        const ceilingMs = Math.min(within.minMs * 2 ** Math.min(failed - 1, 100), within.maxMs);
        const ms = wait(failed, within, next);
        expect(ms).toBeGreaterThanOrEqual(ceilingMs / 2);
        expect(ms).toBeLessThanOrEqual(ceilingMs);
        expect(ms).toBeGreaterThan(0);
      }),
    );
  });

  it('never shrinks with another failure, and doubles below the limit', () => {
    fc.assert(
      fc.property(failures, bounds, random, (failed, within, next) => {
        const ms = wait(failed, within, next);
        const nextMs = wait(failed + 1, within, next);
        expect(nextMs).toBeGreaterThanOrEqual(ms);
        // Up to the rounding.
        if (within.minMs * 2 ** failed <= within.maxMs) expect(Math.abs(nextMs - 2 * ms)).toBeLessThanOrEqual(1);
        expect(Number.isSafeInteger(ms)).toBe(true);
      }),
    );
  });

  it('uses the whole of the random half', () => {
    const within = { minMs: 100, maxMs: 1_000 };
    expect(wait(1, within, 0)).toBe(50);
    expect(wait(1, within, 0.5)).toBe(75);
    expect(wait(1, within, 0.999_999)).toBe(100);
    expect(wait(5, within, 0)).toBe(500);
  });

  it.each([
    ['10,000 failures', 10_000, { minMs: 100, maxMs: 60_000 }, 30_000],
    ['10,000 failures without a wait', 10_000, { minMs: 0, maxMs: 60_000 }, 0],
    ['10,000 failures without a limit, which a timer could not keep', 10_000, { minMs: 1, maxMs: Infinity }, 2 ** 30],
    ['no failure yet', 0, { minMs: 100, maxMs: 60_000 }, 50],
    ['a limit below the first wait', 1, { minMs: 1_000, maxMs: 100 }, 50],
  ])('is a number that a timer keeps after %s', (_, failed, within, expectedMs) => {
    expect(wait(failed, within, 0)).toBe(expectedMs);
  });
});
