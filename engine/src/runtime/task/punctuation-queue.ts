import type { Cancellable } from '../../processor/processor.ts';

class Schedule implements Cancellable {
  readonly intervalMs: number;
  readonly nodeName: string;
  readonly callback: (timestampMs: number) => void;
  nextMs: number;
  cancelled = false;

  constructor(nodeName: string, nextMs: number, intervalMs: number, callback: (timestampMs: number) => void) {
    this.nodeName = nodeName;
    this.nextMs = nextMs;
    this.intervalMs = intervalMs;
    this.callback = callback;
  }

  cancel(): void {
    this.cancelled = true;
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
 * on its grid and lies in the future; I3 due schedules fire in order of their times, equal ones in order of scheduling.
 */
export class PunctuationQueue {
  #schedules: Schedule[] = [];
  /** Earliest due time; Infinity when nothing is scheduled. Read once per record. */
  nextMs = Number.POSITIVE_INFINITY;

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
    const due = this.#schedules.filter((punctuation) => punctuation.nextMs <= nowMs);
    due.sort((left, right) => left.nextMs - right.nextMs);
    let fired = 0;
    try {
      for (const punctuation of due) {
        if (punctuation.cancelled) continue;
        const missed = Math.floor((nowMs - punctuation.nextMs) / punctuation.intervalMs);
        punctuation.nextMs += (missed + 1) * punctuation.intervalMs;
        fired += 1;
        fire(punctuation.nodeName, nowMs, punctuation.callback);
      }
    } finally {
      this.#schedules = this.#schedules.filter((punctuation) => !punctuation.cancelled);
      this.nextMs = this.#schedules.reduce((least, { nextMs }) => Math.min(least, nextMs), Number.POSITIVE_INFINITY);
    }
    return fired;
  }

  clear(): void {
    this.#schedules = [];
    this.nextMs = Number.POSITIVE_INFINITY;
  }
}
