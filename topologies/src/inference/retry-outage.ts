import { backoffMs } from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import { isOutage } from './inference-failure.ts';

/** Waits between two tries. */
const BACKOFF = { minMs: 200, maxMs: 5_000 };

function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Longest wait for something that says it is away: an hour is more than an upgrade or a night's power cut of one server takes,
 * and work that brings its server down must not hold the work behind it for ever.
 */
export const OUTAGE_MAX_MS = 3_600_000;

/**
 * Repeats `work` while it fails for an outage, with waits that double, until `deadlineMs` have passed; then its error leaves.
 * `whenAvailable` waits for something that knows that it is away: that wait does not count, and the deadline begins anew after it,
 * until {@link OUTAGE_MAX_MS} have passed in all.
 */
export async function retryOutage<T>(
  work: () => Promise<T>,
  options: {
    readonly clock: Clock;
    readonly deadlineMs: number;
    readonly signal: AbortSignal;
    readonly whenAvailable?: (signal: AbortSignal) => Promise<void>;
  },
): Promise<T> {
  const { clock, deadlineMs, signal, whenAvailable } = options;
  const startMs = clock.monotonicMs();
  let giveUpAtMs = startMs + deadlineMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!isOutage(error)) throw error;
      const failedAtMs = clock.monotonicMs();
      await whenAvailable?.(signal);
      // A shorter wait is no outage, only the time that an `await` takes.
      if (clock.monotonicMs() - failedAtMs >= BACKOFF.minMs) {
        if (clock.monotonicMs() - startMs > OUTAGE_MAX_MS) throw error;
        giveUpAtMs = clock.monotonicMs() + deadlineMs;
        failures = 0;
        continue;
      }
      const waitMs = backoffMs(failures, BACKOFF, Math.random);
      if (clock.monotonicMs() + waitMs > giveUpAtMs) throw error;
      await sleep(clock, waitMs, signal);
    }
  }
}
