import { checkDuration } from './durations.ts';

/**
 * Windows of activity on event time: records of one key that are at most `gapMs` apart are one session, which begins with its
 * first record and ends with its last, both inclusive. A record between two sessions makes them one. A session takes records until
 * stream time has passed its end by gap and grace. All in ms.
 */
export class SessionWindows {
  readonly gapMs: number;
  readonly graceMs: number;

  private constructor(gapMs: number, graceMs: number) {
    checkDuration('The inactivity gap of sessions', gapMs, 0);
    checkDuration('A grace period', graceMs, 0);
    this.gapMs = gapMs;
    this.graceMs = graceMs;
  }

  static ofInactivityGapWithNoGrace(gapMs: number): SessionWindows {
    return new SessionWindows(gapMs, 0);
  }

  static ofInactivityGapAndGrace(gapMs: number, graceMs: number): SessionWindows {
    return new SessionWindows(gapMs, graceMs);
  }
}
