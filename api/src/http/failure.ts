import type { Problem } from '@chip-quality/schemas';
import { outageOf } from './outage.ts';
import { ProblemError } from './problem.ts';

/** What a client hears of an error, and what kind it is: its own mistake, an outage, or a defect of ours. */
export interface Failure {
  readonly kind: 'problem' | 'outage' | 'defect';
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What becomes of an error that a handler or a link threw. Of a defect the client hears only that there was one: the
 * error's own text is for the log.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof ProblemError) return { kind: 'problem', problem: error.problem, headers: error.headers };
  const outage = outageOf(error);
  if (outage !== undefined) {
    const headers = { 'Retry-After': String(Math.max(1, Math.ceil(outage.retryAfterSeconds))) };
    return { kind: 'outage', problem: new ProblemError('unavailable', outage.message).problem, headers };
  }
  const { problem } = new ProblemError('internal', 'The request failed inside the service; its id is in `instance`.');
  return { kind: 'defect', problem, headers: {} };
}
