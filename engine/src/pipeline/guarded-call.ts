import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { StreamsError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { RetryOptions } from '../processor/async-operator.ts';

/** Longest wait between two attempts unless the user says otherwise: a minute keeps a task's backlog within reason. */
const BACKOFF_MS_MAX_DEFAULT = 60_000;

/** What a guarded call may use, and when it gives up. */
export interface GuardedCallOptions {
  /** Measures the deadline and the waits between attempts. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Names the call in errors: "A call of mapAsync KSTREAM-MAPASYNC-0000000001". */
  readonly what: string;
  /** Deadline of one attempt, ms; undefined: none. */
  readonly timeoutMs: number | undefined;
  /** When a failed attempt is made again; undefined: never. */
  readonly retry: RetryOptions | undefined;
  /** Ends everything: the task was closed. */
  readonly signal: AbortSignal;
  /** Told when a user call begins (+1) and when it is over or given up (-1). */
  readonly onRunning: (delta: 1 | -1) => void;
}

function cancelled(what: string): StreamsError {
  return new StreamsError(`${what} was cancelled: its task was closed`, { code: 'CANCELLED', recovery: 'fail' });
}

/**
 * Runs a user's asynchronous function with deadline, retries and cancellation. Each attempt has its own signal. Rejects with
 * the last attempt's error, `TIMEOUT`, or `CANCELLED`; never later than the deadline of its last attempt.
 */
export async function guardedCall<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: GuardedCallOptions,
): Promise<T> {
  const attemptsMax = Math.max(1, options.retry?.attempts ?? 1);
  for (let number = 1; ; number += 1) {
    try {
      return await runOnce(attempt, options);
    } catch (error) {
      if (options.signal.aborted) throw cancelled(options.what);
      if (number >= attemptsMax || options.retry?.retryable?.(error) === false) throw error;
      await backOff(number, options.retry as RetryOptions, options);
    }
  }
}

function runOnce<T>(attempt: (signal: AbortSignal) => Promise<T>, options: GuardedCallOptions): Promise<T> {
  const { clock, signal, timeoutMs, what } = options;
  return new Promise<T>((resolve, reject) => {
    const own = new AbortController();
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      timer?.cancel();
      signal.removeEventListener('abort', onAbort);
      options.onRunning(-1);
      settle();
    };
    const giveUp = (error: StreamsError): void => {
      finish(() => reject(error));
      own.abort(error);
    };
    const onAbort = (): void => giveUp(cancelled(what));
    const timer =
      timeoutMs === undefined
        ? undefined
        : clock.setTimer(timeoutMs, () =>
            giveUp(new StreamsError(`${what} took longer than ${timeoutMs} ms`, { code: 'TIMEOUT', recovery: 'fail' })),
          );
    options.onRunning(1);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    callSafely(attempt, own.signal).then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

/** A function that throws before it returns a promise fails like one whose promise rejects. */
async function callSafely<T>(attempt: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return await attempt(signal);
}

function backOff(failures: number, retry: RetryOptions, options: GuardedCallOptions): Promise<void> {
  const bounds = { minMs: retry.backoffMs, maxMs: retry.backoffMsMax ?? BACKOFF_MS_MAX_DEFAULT };
  const delayMs = backoffMs(failures, bounds, options.random);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(cancelled(options.what));
    };
    const timer = options.clock.setTimer(delayMs, () => {
      options.signal.removeEventListener('abort', onAbort);
      resolve();
    });
    options.signal.addEventListener('abort', onAbort, { once: true });
  });
}
