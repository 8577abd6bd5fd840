import type { Clock } from 'millrace';

/** A clock that stands still until it is told to go on. */
export class StandingClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void) {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  yield(callback: () => void): void {
    callback();
  }

  /** Second by second, letting everybody act in between. */
  async advance(ms: number): Promise<void> {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      for (const due of this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)) {
        this.#timers = this.#timers.filter((each) => each !== due);
        due.callback();
      }
      for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
      this.#nowMs += 1_000;
    }
  }
}
