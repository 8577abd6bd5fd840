import type { Cancellable } from '../../processor/processor.ts';

class Schedule implements Cancellable {
  readonly intervalMs: number;
  readonly nodeName: string;
  readonly callback: (timestampMs: number) => void;
  nextMs: number;
  isCancelled = false;

  constructor(nodeName: string, nextMs: number, intervalMs: number, callback: (timestampMs: number) => void) {
    this.nodeName = nodeName;
    this.nextMs = nextMs;
    this.intervalMs = intervalMs;
    this.callback = callback;
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

/** The first time of a grid after `nowMs`; its start where that is still to come, or now. */
export function firstOfGrid(startMs: number, intervalMs: number, nowMs: number): number {
  if (startMs >= nowMs) return startMs;
  return startMs + (Math.floor((nowMs - startMs) / intervalMs) + 1) * intervalMs;
}

/**
 * Scheduled punctuators of a task, one queue a time (stream, wall clock).
 *
 * Owns: the schedules. Called by: StreamTask, between records.
 * Invariants: I1 a schedule fires at most once a call of `punctuate`, with the current time; I2 after a gap its next time stays
 * on its grid and lies in the future; I3 due schedules fire in order of their times, equal ones in order of scheduling, where
 * having fired counts as being scheduled anew; I4 what a punctuator schedules fires in the same call where it is due, as in Kafka
 * Streams.
 */
export class PunctuationQueue {
  #schedules: Schedule[] = [];
  /** Earliest due time; Infinity when nothing is scheduled. Read once per record. */
  nextMs = Number.POSITIVE_INFINITY;

  /**
   * Adds a punctuator that fires at `firstMs` and every `intervalMs` from then on. Cancelling it in its own callback is
   * allowed.
   */
  schedule(
    nodeName: string,
    firstMs: number,
    intervalMs: number,
    callback: (timestampMs: number) => void,
  ): Cancellable {
    const punctuation = new Schedule(nodeName, firstMs, intervalMs, callback);
    this.#schedules.push(punctuation);
    if (firstMs < this.nextMs) this.nextMs = firstMs;
    return punctuation;
  }

  /** Fires what is due at `nowMs` through `fire`; returns how many fired. */
  punctuate(
    nowMs: number,
    fire: (nodeName: string, timestampMs: number, callback: (timestampMs: number) => void) => void,
  ): number {
    if (nowMs < this.nextMs) return 0;
    let fired = 0;
    try {
      // Asked anew each time: a punctuator may cancel others, and schedule new ones that are due at once.
      for (let due = this.#firstDue(nowMs); due !== undefined; due = this.#firstDue(nowMs)) {
        const missed = Math.floor((nowMs - due.nextMs) / due.intervalMs);
        due.nextMs += (missed + 1) * due.intervalMs;
        fired += 1;
        fire(due.nodeName, nowMs, due.callback);
        this.#moveLast(due);
      }
    } finally {
      this.#schedules = this.#schedules.filter((punctuation) => !punctuation.isCancelled);
      this.nextMs = this.#schedules.reduce((least, { nextMs }) => Math.min(least, nextMs), Number.POSITIVE_INFINITY);
    }
    return fired;
  }

  /** What fired is scheduled anew, after what its callback scheduled. */
  #moveLast(schedule: Schedule): void {
    const index = this.#schedules.indexOf(schedule);
    if (index < 0) return;
    this.#schedules.splice(index, 1);
    this.#schedules.push(schedule);
  }

  /** The earliest of those that are due, of equal ones the one that was scheduled first. */
  #firstDue(nowMs: number): Schedule | undefined {
    let first: Schedule | undefined;
    for (const schedule of this.#schedules) {
      if (schedule.isCancelled || schedule.nextMs > nowMs) continue;
      if (first === undefined || schedule.nextMs < first.nextMs) first = schedule;
    }
    return first;
  }

  /** Forgets all schedules. */
  clear(): void {
    this.#schedules = [];
    this.nextMs = Number.POSITIVE_INFINITY;
  }
}
