import type { Link, LinkRequest } from '../link.ts';
import { ProblemError } from '../problem.ts';

/** What a limiter says of one request. */
export interface LimitDecision {
  /** False refuses the request with 429. */
  readonly isAllowed: boolean;
  /** Name of the limit that counts here: letters, digits, `-` and `_`. */
  readonly policy: string;
  /** Requests that a window allows. */
  readonly quota: number;
  /** Length of a window. */
  readonly windowSeconds: number;
  /** Requests that are left in this window, after this one. */
  readonly remaining: number;
  /** Until there is quota again. */
  readonly resetSeconds: number;
}

/** Counts requests. */
export interface Limiter {
  /**
   * Counts a request and decides about it; undefined where nothing limits it. What it rejects with ends the request: one that
   * would rather let everything through while it can't count decides so itself.
   */
  decide(request: LinkRequest): LimitDecision | undefined | Promise<LimitDecision | undefined>;
}

/** Limits nothing: the default. */
export const noopLimiter: Limiter = { decide: () => undefined };

/**
 * Asks the limiter, and tells the client how much it has left (`RateLimit`, `RateLimit-Policy`) whatever the answer is. Refuses
 * with 429 and `Retry-After`.
 */
export function limit(limiter: Limiter): Link {
  const refusal = {
    description: 'Too many requests.',
    headers: { 'Retry-After': 'Seconds to wait.', RateLimit: 'What is left.', 'RateLimit-Policy': 'What is allowed.' },
  };
  return {
    name: 'limit',
    problems: limiter === noopLimiter ? {} : { 429: refusal },
    async pass(request, next) {
      const decision = await limiter.decide(request);
      if (decision !== undefined) {
        const { isAllowed, policy, quota, windowSeconds, remaining, resetSeconds } = decision;
        const waitSeconds = Math.max(0, Math.ceil(resetSeconds));
        request.addHeader('RateLimit-Policy', `"${policy}";q=${quota};w=${windowSeconds}`);
        request.addHeader('RateLimit', `"${policy}";r=${Math.max(0, remaining)};t=${waitSeconds}`);
        if (!isAllowed) {
          throw new ProblemError('rate-limited', `No more than ${quota} requests in ${windowSeconds} s.`, {
            headers: { 'Retry-After': String(Math.max(1, waitSeconds)) },
          });
        }
      }
      return next(request);
    },
  };
}
