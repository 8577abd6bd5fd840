import { backoffMs } from '../base/backoff.ts';
import type { Random } from '../base/random.ts';

/** Kafka's `retry.backoff.ms` and `retry.backoff.max.ms`. */
const BOUNDS = { minMs: 100, maxMs: 1_000 };

/** Wait before attempt `failures + 1` of a request, ms: {@link backoffMs} within Kafka's bounds, 0.1 to 1 s. */
export function retryBackoffMs(failures: number, random: Random): number {
  return backoffMs(failures, BOUNDS, random);
}
