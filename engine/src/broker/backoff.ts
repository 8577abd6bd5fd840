import type { Random } from '../base/random.ts';

/** Kafka's `retry.backoff.ms` and `retry.backoff.max.ms`. */
const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 1_000;
/** Kafka's jitter: clients that failed together shall not return together. */
const JITTER = 0.2;

/** Wait before attempt `failures + 1`, ms: doubles up to a second, ±20 %. */
export function retryBackoffMs(failures: number, random: Random): number {
  const exponential = Math.min(BACKOFF_MS * 2 ** Math.max(0, failures - 1), BACKOFF_MS_MAX);
  return exponential * (1 - JITTER + 2 * JITTER * random.next());
}
