import { Headers } from 'millrace';

/** Record headers that carry the W3C trace context on; none without one. */
export function traceHeaders(traceparent: string): Headers {
  const headers = new Headers();
  return traceparent === '' ? headers : headers.add('traceparent', traceparent);
}
