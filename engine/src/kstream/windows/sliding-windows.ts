import { checkDuration } from './durations.ts';

/**
 * Windows on event time that slide over the records (Java's `SlidingWindows`): whenever a record comes into or leaves a
 * stretch of `timeDifferenceMs`, that is another window, `[t − difference, t]` and `[t + 1, t + 1 + difference]`, both
 * ends inclusive. Two records of one key are together in some window exactly if they are at most the difference apart.
 * All in ms; a difference below 1, a negative grace and what is no whole number throw `TOPOLOGY`.
 * @example
 * ```ts
 * // Whenever a key had three records within a minute.
 * orders
 *   .groupByKey()
 *   .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(minuteMs))
 *   .count()
 *   .filter((_window, count) => count >= 3);
 * ```
 */
export class SlidingWindows {
  /** Length of a window, ms: its end minus its start. */
  readonly timeDifferenceMs: number;
  /** How late records may come, ms after the end of their window. */
  readonly graceMs: number;

  private constructor(timeDifferenceMs: number, graceMs: number) {
    // Kafka Streams takes 0 and fails at the first record: its windows may not begin where they end.
    checkDuration('The time difference of sliding windows', timeDifferenceMs, 1);
    checkDuration('A grace period', graceMs, 0);
    this.timeDifferenceMs = timeDifferenceMs;
    this.graceMs = graceMs;
  }

  /** Windows that close as soon as stream time has passed their end. */
  static ofTimeDifferenceWithNoGrace(timeDifferenceMs: number): SlidingWindows {
    return new SlidingWindows(timeDifferenceMs, 0);
  }

  /** Windows that wait for late records for another `graceMs`. */
  static ofTimeDifferenceAndGrace(timeDifferenceMs: number, graceMs: number): SlidingWindows {
    return new SlidingWindows(timeDifferenceMs, graceMs);
  }
}
