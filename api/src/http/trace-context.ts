import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_SPAN_ID = '0'.repeat(16);
const SAMPLED = '01';

/**
 * W3C trace context of a request: continues the caller's trace with a span of our own, or starts a new, sampled trace
 * when the header is missing or malformed (the standard says to ignore a malformed one).
 *
 * @param header the caller's `traceparent`, empty when it sent none
 */
export function continueTrace(header: string): string {
  const spanId = randomBytes(8).toString('hex');
  const [, traceId, parentId, flags] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || traceId === ZERO_TRACE_ID || parentId === ZERO_SPAN_ID) {
    return `00-${randomBytes(16).toString('hex')}-${spanId}-${SAMPLED}`;
  }
  return `00-${traceId}-${spanId}-${flags}`;
}
