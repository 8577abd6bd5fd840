/** A running timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The only source of time in the engine: the test driver and the simulation replace it. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Milliseconds of a monotonic clock, with fractions; for measuring, never for timestamps. */
  monotonicMs(): number;
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` after pending I/O had its turn (setImmediate): the engine's yield point. */
  yield(callback: () => void): void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
  yield(callback) {
    setImmediate(callback);
  },
};

/** Resolves after `delayMs` on `clock`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}

/** Resolves at the clock's next yield point. */
export function yieldTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.yield(resolve);
  });
}
