import type { Clock } from 'millrace';
import { isOutage } from './inference-failure.ts';

/** First and longest wait between two tries. */
const BACKOFF_INITIAL_MS = 200;
const BACKOFF_MAX_MS = 5_000;

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

/** Repeats `work` while it fails for an outage, with doubling waits, until `deadlineMs` have passed; then its error leaves. */
export async function retryOutage<T>(
  work: () => Promise<T>,
  options: { readonly clock: Clock; readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<T> {
  const { clock, deadlineMs, signal } = options;
  const giveUpAtMs = clock.monotonicMs() + deadlineMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const waitMs = Math.min(BACKOFF_INITIAL_MS * 2 ** attempt, BACKOFF_MAX_MS);
      if (!isOutage(error) || clock.monotonicMs() + waitMs > giveUpAtMs) throw error;
      await sleep(clock, waitMs, signal);
    }
  }
}
