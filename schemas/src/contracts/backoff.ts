/** First and longest wait of a backoff, ms. */
export interface BackoffBounds {
  /** First wait, and the least that a wait can double from. */
  readonly minMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/** Every limit is reached long before; `2 ** 1024` would be Infinity, and 0 times Infinity no number. */
const DOUBLINGS_MAX = 64;

/**
 * Wait before the platform asks again, whole ms: between half the ceiling and the ceiling, where the ceiling is `minMs` after the first
 * failure in a row and doubles with each further one, up to `maxMs`. The random half keeps clients that failed together from
 * returning together.
 *
 * It is the engine's rule. Not all rooms of the platform may import the engine; all that wait may import this.
 *
 * @param failures failures in a row, 1 after the first; less counts as 1
 * @param random answers a number in [0, 1)
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffBounds, random: () => number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_MAX);
  return Math.ceil(Math.min(minMs * 2 ** doublings, maxMs) * (0.5 + 0.5 * random()));
}
