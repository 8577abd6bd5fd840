import { TopologyError } from '../../base/errors.ts';

/**
 * Which records of two streams belong together (Java's `JoinWindows`): those of one key whose times are close. A right
 * record matches a left one when its timestamp lies in `[left − beforeMs, left + afterMs]`, both ends included.
 * Unmatched records of left and outer joins are results once stream time has passed the end of their window by the
 * grace period. All in ms; what is no whole number throws `TOPOLOGY`.
 *
 * Before and after may be negative, as long as the window doesn't end before it begins: "at least 5 and at most 10 ms
 * later" is `ofTimeDifferenceAndGrace(10, grace).before(-5)`.
 * @example
 * ```ts
 * // A payment up to ten minutes after its order, never before it; records may be a minute late.
 * const windows = JoinWindows.ofTimeDifferenceAndGrace(10 * minuteMs, minuteMs).before(0);
 * ```
 */
export class JoinWindows {
  /** How much older than the left record the right one may be, ms; negative: it must be newer by at least so much. */
  readonly beforeMs: number;
  /** How much newer than the left record the right one may be, ms; negative: it must be older by at least so much. */
  readonly afterMs: number;
  /** How late records may come and still be joined, ms after the end of their window. */
  readonly graceMs: number;

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    checkWhole('before', beforeMs);
    checkWhole('after', afterMs);
    if (!Number.isSafeInteger(graceMs) || graceMs < 0) {
      throw new TopologyError(`A grace period must be a whole number of ms, 0 or more, not ${graceMs}.`);
    }
    if (beforeMs + afterMs < 0) {
      throw new TopologyError(
        `A join window of ${beforeMs} ms before and ${afterMs} ms after ends before it begins: before + after must be 0 or more.`,
      );
    }
    this.beforeMs = beforeMs;
    this.afterMs = afterMs;
    this.graceMs = graceMs;
  }

  /** Records at most `timeDifferenceMs` apart, whichever is older. */
  static ofTimeDifferenceAndGrace(timeDifferenceMs: number, graceMs: number): JoinWindows {
    return new JoinWindows(timeDifferenceMs, timeDifferenceMs, graceMs);
  }

  /** Records at most `timeDifferenceMs` apart; one whose window stream time has passed finds no partner any more. */
  static ofTimeDifferenceWithNoGrace(timeDifferenceMs: number): JoinWindows {
    return JoinWindows.ofTimeDifferenceAndGrace(timeDifferenceMs, 0);
  }

  /** The right record may be up to `beforeMs` older than the left one. */
  before(beforeMs: number): JoinWindows {
    return new JoinWindows(beforeMs, this.afterMs, this.graceMs);
  }

  /** The right record may be up to `afterMs` newer than the left one. */
  after(afterMs: number): JoinWindows {
    return new JoinWindows(this.beforeMs, afterMs, this.graceMs);
  }

  /** Length of the window, ms. */
  get sizeMs(): number {
    return this.beforeMs + this.afterMs;
  }

  /** How long records wait for their partners in the join's stores, ms. */
  get retentionMs(): number {
    return this.sizeMs + this.graceMs;
  }
}

function checkWhole(side: string, ms: number): void {
  if (!Number.isSafeInteger(ms))
    throw new TopologyError(`A join window's ${side} must be a whole number of ms, not ${ms}.`);
}
