import { checkDuration } from './durations.ts';

/**
 * Windows of activity on event time (Java's `SessionWindows`): records of one key that are at most `gapMs` apart are
 * one session, which begins with its first record and ends with its last, both inclusive. A record between two sessions
 * makes them one. A session takes records until stream time has passed its end by gap and grace. All in ms; what is
 * negative or no whole number throws `TOPOLOGY`.
 * @example
 * ```ts
 * orders.groupByKey().windowedBy(SessionWindows.ofInactivityGapAndGrace(30 * minuteMs, minuteMs)).count();
 * ```
 */
export class SessionWindows {
  /** Longest pause inside a session, ms. */
  readonly gapMs: number;
  /** How late records may come, ms after the session could grow no more. */
  readonly graceMs: number;

  private constructor(gapMs: number, graceMs: number) {
    checkDuration('The inactivity gap of sessions', gapMs, 0);
    checkDuration('A grace period', graceMs, 0);
    this.gapMs = gapMs;
    this.graceMs = graceMs;
  }

  /** Sessions that close as soon as stream time has passed their end by the gap. */
  static ofInactivityGapWithNoGrace(gapMs: number): SessionWindows {
    return new SessionWindows(gapMs, 0);
  }

  /** Sessions that wait for late records for another `graceMs`. */
  static ofInactivityGapAndGrace(gapMs: number, graceMs: number): SessionWindows {
    return new SessionWindows(gapMs, graceMs);
  }
}
