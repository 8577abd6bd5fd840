import type { HttpExchange, HttpResult } from './exchange.ts';
import type { Access, LinkRequest } from './link.ts';
import type { Route } from './route.ts';
import { runRoute } from './run-route.ts';

/** An address that the server answers, as a row: documented routes are some, pages and probes are others. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** OpenAPI template. */
  readonly path: string;
  readonly access: Access;
  /** Called when the links have let the request through. */
  readonly handle: (exchange: HttpExchange, request: LinkRequest) => HttpResult | Promise<HttpResult>;
}

/** A documented route needs a token with its scope. */
export function routeEndpoint(route: Route): Endpoint {
  return {
    method: route.method,
    path: route.path,
    access: { kind: 'token', scope: route.scope },
    handle: (exchange, request) => runRoute(route, exchange, request),
  };
}
