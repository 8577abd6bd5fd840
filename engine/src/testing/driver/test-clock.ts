import { type Clock, systemClock, type Timer } from '../../base/clock.ts';

interface PendingTimer {
  readonly atMs: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * A clock that stands still until it is told to move. Timers fire while it moves, in order of their times.
 *
 * Owns: time and timers. Called by: TopologyTestDriver, tests.
 * Invariants: I1 time never goes back; I2 a timer sees the clock at its own time.
 */
export class TestClock implements Clock {
  #nowMs: number;
  #timers: PendingTimer[] = [];

  /** `initialMs`: the time at the start, epoch ms. Default: 0. */
  constructor(initialMs = 0) {
    this.#nowMs = initialMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { atMs: this.#nowMs + Math.max(0, delayMs), callback, cancelled: false };
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  /** Yields to real I/O: only time is simulated. */
  yield(callback: () => void): void {
    systemClock.yield(callback);
  }

  /** When the next timer is due, epoch ms; undefined when none runs. */
  get nextTimerMs(): number | undefined {
    this.#timers = this.#timers.filter((timer) => !timer.cancelled);
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map((timer) => timer.atMs));
  }

  /** Moves the time on by so many ms, 0 or more, and fires the timers that become due, each at its own time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let nextMs = this.nextTimerMs; nextMs !== undefined && nextMs <= untilMs; nextMs = this.nextTimerMs) {
      const timer = this.#timers.find(({ atMs }) => atMs === nextMs) as PendingTimer;
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.callback();
    }
    this.#nowMs = untilMs;
  }
}
