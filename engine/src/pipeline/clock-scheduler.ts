import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import type { Clock } from '../base/clock.ts';

/**
 * An RxJS scheduler that lives on the engine's clock: give it to time operators (`bufferTime(10, scheduler)`) inside `pipe`,
 * so that tests and the simulation own their time too.
 */
export function clockScheduler(clock: Clock): SchedulerLike {
  return {
    now: () => clock.nowMs(),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
      return new ClockAction(clock, work).schedule(state, delayMs);
    },
  };
}

/** One scheduled piece of work, which may schedule itself again. */
class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: Clock;
  readonly #work: (this: SchedulerAction<T>, state?: T) => void;

  constructor(clock: Clock, work: (this: SchedulerAction<T>, state?: T) => void) {
    super();
    this.#clock = clock;
    this.#work = work;
  }

  schedule(state?: T, delayMs = 0): Subscription {
    const timer = this.#clock.setTimer(delayMs, () => {
      if (!this.closed) this.#work.call(this, state);
    });
    this.add(() => timer.cancel());
    return this;
  }
}
