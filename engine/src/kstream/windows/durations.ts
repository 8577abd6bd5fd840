import { TopologyError } from '../../base/errors.ts';

/** Checks a duration of a window, ms; the error says what it is for. */
export function checkDuration(what: string, ms: number, leastMs: number): void {
  if (Number.isSafeInteger(ms) && ms >= leastMs) return;
  throw new TopologyError(`${what} must be a whole number of ms, ${leastMs} or more, not ${ms}.`);
}
