/** A timer that {@link Clock.setTimer} started. */
export interface Timer {
  /** Keeps the callback from running, unless it has run. May be called again. */
  cancel(): void;
}

/** The only source of time in the engine: the test driver and the simulation replace it. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /**
   * Milliseconds of a clock that never goes back, with fractions and an arbitrary start: for measuring, never for
   * timestamps.
   */
  monotonicMs(): number;
  /** Runs `callback` once, `delayMs` from now at the earliest. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` after pending I/O had its turn (setImmediate): the engine's yield point. */
  yield(callback: () => void): void;
}

/** The clock of the machine and the timers of Node.js. */
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
