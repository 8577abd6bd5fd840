import type { Random } from './random.ts';

/** First and longest wait of a backoff, ms. */
export interface BackoffBounds {
  /** The first wait, before it is spread; each further failure doubles it. */
  readonly minMs: number;
  /** Also where it is below `minMs`. */
  readonly maxMs: number;
}

/** Every limit is reached long before; `2 ** 1024` would be Infinity, and 0 times Infinity no number. */
const DOUBLINGS_MAX = 64;
/** The longest wait that a timer keeps; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Wait before the next attempt, whole ms: between half the ceiling and the ceiling, where the ceiling is `minMs` after the first
 * failure in a row and doubles with each further one, up to `maxMs`. It is 0 only where the bounds are.
 *
 * The doubling relieves whoever is in trouble; the random half keeps clients that failed together from returning together. This
 * is the "equal jitter" of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): unlike full jitter it never returns at
 * once, and it spreads clients wider than the ±20 % of Kafka's own.
 *
 * @param failures failures in a row, 1 after the first; less counts as 1
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffBounds, random: Pick<Random, 'next'>): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_MAX);
  const ceilingMs = Math.min(minMs * 2 ** doublings, maxMs, TIMER_MS_MAX);
  return Math.ceil(ceilingMs * (0.5 + 0.5 * random.next()));
}
