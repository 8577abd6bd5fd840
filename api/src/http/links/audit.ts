import type { Principal } from '../../auth/principal.ts';
import type { Link, RequestEnd } from '../link.ts';

/** What is recorded of a request that has ended. */
export interface AuditEntry extends RequestEnd {
  /** Undefined where the address is public. */
  readonly principal: Principal | undefined;
  /** As requested, in capitals. */
  readonly method: string;
  /** The path template. */
  readonly route: string;
  /** As requested, with ids, without the query. */
  readonly path: string;
  /** What the client got as `X-Request-Id`. */
  readonly requestId: string;
  /** W3C trace context of the API's span. */
  readonly traceparent: string;
  /** Epoch ms. */
  readonly receivedAtMs: number;
}

/** Keeps records of who did what. */
export interface Auditor {
  /** Called once for each request that got as far as the handlers' scope check, after its end. What it throws is logged. */
  record(entry: AuditEntry): void;
}

/** Records nothing: the default. */
export const noopAuditor: Auditor = { record: () => {} };

/** Tells the auditor how each request ended: answers, problems, and clients that went away. Refuses nothing. */
export function audit(auditor: Auditor): Link {
  return {
    name: 'audit',
    problems: {},
    pass(request, next) {
      const { principal, method, route, path, requestId, traceparent, receivedAtMs } = request;
      request.onEnd((end) =>
        auditor.record({ principal, method, route, path, requestId, traceparent, receivedAtMs, ...end }),
      );
      return next(request);
    },
  };
}
