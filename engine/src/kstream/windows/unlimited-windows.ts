import { ENDLESS_MS } from '../../serde/windowed.ts';
import { checkDuration } from './durations.ts';

/**
 * One window for each key that begins at a moment and never ends (its end reads `Number.MAX_SAFE_INTEGER`); Java's
 * `UnlimitedWindows`. Records before it take no part. It never closes, so there is no result to emit at its close.
 * @example
 * ```ts
 * const thisYear = UnlimitedWindows.of().startOn(Date.UTC(2026, 0));
 * orders.groupByKey().windowedBy(thisYear).count();
 * ```
 */
export class UnlimitedWindows {
  /** First moment of the window, epoch ms. */
  readonly startMs: number;
  /** Longer than any time, ms. */
  readonly sizeMs = ENDLESS_MS;
  /** There is no second window, so the distance to it is longer than any time, ms. */
  readonly advanceMs = ENDLESS_MS;
  /** 0 ms: what never ends has no late records. */
  readonly graceMs = 0;

  private constructor(startMs: number) {
    checkDuration('The start of an unlimited window', startMs, 0);
    this.startMs = startMs;
  }

  /** The window that begins at the epoch. */
  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0);
  }

  /** The window that begins at `startMs`, epoch ms; a negative one throws `TOPOLOGY`. */
  startOn(startMs: number): UnlimitedWindows {
    return new UnlimitedWindows(startMs);
  }

  /** Start of the only window, epoch ms. */
  firstStartMs(): number {
    return this.startMs;
  }
}
