import { checkDuration } from './durations.ts';

/**
 * Windows on event time that slide over the records: whenever a record comes into or leaves a stretch of `timeDifferenceMs`,
 * that is another window, `[t − difference, t]` and `[t + 1, t + 1 + difference]`, both ends inclusive. Two records of one key are
 * together in some window exactly if they are at most the difference apart. All in ms.
 */
export class SlidingWindows {
  readonly timeDifferenceMs: number;
  readonly graceMs: number;

  private constructor(timeDifferenceMs: number, graceMs: number) {
    // Kafka Streams takes 0 and fails at the first record: its windows may not begin where they end.
    checkDuration('The time difference of sliding windows', timeDifferenceMs, 1);
    checkDuration('A grace period', graceMs, 0);
    this.timeDifferenceMs = timeDifferenceMs;
    this.graceMs = graceMs;
  }

  static ofTimeDifferenceWithNoGrace(timeDifferenceMs: number): SlidingWindows {
    return new SlidingWindows(timeDifferenceMs, 0);
  }

  static ofTimeDifferenceAndGrace(timeDifferenceMs: number, graceMs: number): SlidingWindows {
    return new SlidingWindows(timeDifferenceMs, graceMs);
  }
}
