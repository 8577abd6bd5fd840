import { TopologyError } from '../../base/errors.ts';

/**
 * Fixed-size windows on event time (Java's `TimeWindows`), aligned to the epoch, start inclusive and end exclusive:
 * tumbling, or hopping after {@link TimeWindows.advanceBy}. A window takes records until stream time has passed its end
 * by the grace period. All in ms; a size below 1, a negative grace and what is no whole number throw `TOPOLOGY`.
 * @example
 * ```ts
 * const tumbling = TimeWindows.ofSizeAndGrace(5 * minuteMs, minuteMs);
 * // Five minutes long, and a new one every minute: each record is in five of them.
 * const hopping = TimeWindows.ofSizeWithNoGrace(5 * minuteMs).advanceBy(minuteMs);
 * orders.groupByKey().windowedBy(tumbling).count();
 * orders.groupByKey().windowedBy(hopping).count();
 * ```
 */
export class TimeWindows {
  /** Length of a window, ms. */
  readonly sizeMs: number;
  /** Distance of two windows' starts, ms; the size where they tumble. */
  readonly advanceMs: number;
  /** How late records may come, ms after the end of their window. */
  readonly graceMs: number;

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = sizeMs;
    this.advanceMs = advanceMs;
    this.graceMs = graceMs;
  }

  /** Tumbling windows that close as soon as stream time has reached their end. */
  static ofSizeWithNoGrace(sizeMs: number): TimeWindows {
    return TimeWindows.ofSizeAndGrace(sizeMs, 0);
  }

  /** Tumbling windows that wait for late records for another `graceMs`. */
  static ofSizeAndGrace(sizeMs: number, graceMs: number): TimeWindows {
    if (!Number.isSafeInteger(sizeMs) || sizeMs <= 0) {
      throw new TopologyError(`A window size must be a whole number of ms above 0, not ${sizeMs}.`);
    }
    if (!Number.isSafeInteger(graceMs) || graceMs < 0) {
      throw new TopologyError(`A grace period must be a whole number of ms, 0 or more, not ${graceMs}.`);
    }
    return new TimeWindows(sizeMs, sizeMs, graceMs);
  }

  /** Hopping windows: one starts every `advanceMs`, so a record is in several. From 1 to the size, else `TOPOLOGY`. */
  advanceBy(advanceMs: number): TimeWindows {
    if (!Number.isSafeInteger(advanceMs) || advanceMs <= 0 || advanceMs > this.sizeMs) {
      throw new TopologyError(
        `Windows of ${this.sizeMs} ms can advance by 1 to ${this.sizeMs} ms, not by ${advanceMs}.`,
      );
    }
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs);
  }

  /** Start of the earliest window that contains `timestampMs`; the others follow every `advanceMs` up to it. */
  firstStartMs(timestampMs: number): number {
    const earliest = Math.max(0, timestampMs - this.sizeMs + this.advanceMs);
    return earliest - (earliest % this.advanceMs);
  }
}
