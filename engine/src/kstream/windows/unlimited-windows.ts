import { endlessMs } from '../../serde/windowed.ts';
import { checkDuration } from './durations.ts';

/**
 * One window for each key that begins at a moment and never ends (its end reads `Number.MAX_SAFE_INTEGER`). Records before it
 * take no part. It never closes, so there is no result to emit at its close.
 */
export class UnlimitedWindows {
  readonly startMs: number;
  readonly sizeMs = endlessMs;
  readonly advanceMs = endlessMs;
  readonly graceMs = 0;

  private constructor(startMs: number) {
    checkDuration('The start of an unlimited window', startMs, 0);
    this.startMs = startMs;
  }

  /** From the epoch on. */
  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0);
  }

  startOn(startMs: number): UnlimitedWindows {
    return new UnlimitedWindows(startMs);
  }

  /** Start of the only window. */
  firstStartMs(): number {
    return this.startMs;
  }
}
