import {
  App,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js';
import { METHODS } from 'node:http';
import { type AuthOptions, createAuthenticator } from './auth/authenticator.ts';
import { dashboardRoutes } from './dashboard/dashboard-files.ts';
import type { ApiLog, ApiMetrics } from './http/api-log.ts';
import { ClientGoneError, HttpExchange, type HttpResult } from './http/exchange.ts';
import { type ApiLimits, DEFAULT_LIMITS } from './http/limits.ts';
import { choosePort } from './http/listen-port.ts';
import { outageOf } from './http/outage.ts';
import { ProblemError } from './http/problem.ts';
import { json, problemResult, SECURITY_HEADERS } from './http/response.ts';
import { parameterNames } from './http/route.ts';
import { runRoute } from './http/run-route.ts';
import { LiveEndpoint } from './live/live-endpoint.ts';
import {
  type ApiClock,
  type CommandGateway,
  type LiveFeed,
  type Models,
  type Objects,
  type Queries,
  UnavailableError,
} from './ports.ts';
import { openApiDocument } from './routes/openapi.ts';
import { apiRoutes } from './routes/routes.ts';

/** What `app/` gives the API. */
export interface ApiServerOptions {
  readonly ports: {
    readonly gateway: CommandGateway;
    readonly queries: Queries;
    readonly objects: Objects;
    readonly models: Models;
    readonly live: LiveFeed;
    readonly clock: ApiClock;
  };
  readonly auth: AuthOptions;
  readonly log: ApiLog;
  readonly metrics: ApiMetrics;
  /** Names of parts that are not ready, asked by `/health/ready` besides the gateway; empty when all are. */
  readonly notReady?: () => readonly string[];
  /** Origins that presigned URLs point to (`http://127.0.0.1:9000`): the live page may show images from there. */
  readonly imageOrigins?: readonly string[];
  readonly limits?: Partial<ApiLimits>;
}

/** The running API. */
export interface ApiServer {
  /** @param port 0 for any free one. @throws Error when the port is taken */
  listen(port: number, host: string): Promise<{ readonly port: number }>;
  /** Stops listening, lets requests under way finish (bounded), ends live connections. */
  close(): Promise<void>;
}

type Handler = (exchange: HttpExchange) => HttpResult | Promise<HttpResult>;

/** Makes the API; nothing listens before `listen`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  return new UwsApiServer(options);
}

/**
 * Owns: the uWebSockets app, its listen socket, the count of requests under way, the live endpoint.
 * Called by: `app/`.
 * Invariants:
 *  I1 every request gets exactly one answer, or its client is gone: a handler that throws or hangs is answered for;
 *  I2 an answer below 500 never depends on what a handler threw, except problems, which are meant to be read;
 *  I3 after `close()` resolves no handler is running, unless it outlived the drain timeout.
 */
class UwsApiServer implements ApiServer {
  readonly #options: ApiServerOptions;
  readonly #limits: ApiLimits;
  readonly #app: TemplatedApp;
  readonly #live: LiveEndpoint;
  #listenSocket: us_listen_socket | undefined;
  #underWay = 0;
  #closing = false;
  #drained: (() => void) | undefined;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { ports, log, metrics } = options;
    const auth = createAuthenticator(options.auth, ports.clock);
    this.#app = App();
    this.#live = new LiveEndpoint({ feed: ports.live, clock: ports.clock, auth, log, metrics, limits: this.#limits });
    this.#live.mount(this.#app);

    const allowed = new Map<string, string[]>();
    const mount = (method: 'GET' | 'POST' | 'PUT', path: string, handler: Handler) => {
      const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
      const listener = this.#listener(path, handler);
      if (method === 'GET') this.#app.get(pattern, listener).head(pattern, listener);
      else if (method === 'PUT') this.#app.put(pattern, listener);
      else this.#app.post(pattern, listener);
      const methods = method === 'GET' ? ['GET', 'HEAD'] : [method];
      allowed.set(path, [...(allowed.get(path) ?? []), ...methods]);
    };

    const routes = apiRoutes(ports, this.#limits);
    for (const route of routes) {
      mount(route.method, route.path, (exchange) => runRoute(route, exchange, auth, ports.clock.nowMs()));
    }
    const document = openApiDocument(routes);
    mount('GET', '/openapi.json', () => json(200, document, { 'Cache-Control': 'no-cache' }));
    mount('GET', '/health/live', () => json(200, { status: 'live' }));
    mount('GET', '/health/ready', () => this.#readiness());
    mount('GET', '/metrics', async () => {
      const { contentType, body } = await metrics.render();
      return { ...json(200, undefined, { 'Content-Type': contentType }), body };
    });
    mount('GET', '/v1/live', () => {
      throw new ProblemError('upgrade-required', 'Open this address as a WebSocket.', {
        headers: { Upgrade: 'websocket' },
      });
    });
    for (const [path, handler] of dashboardRoutes(options.imageOrigins ?? [])) mount('GET', path, handler);

    for (const [path, methods] of allowed) {
      const allow = methods.join(', ');
      const refuse = this.#listener(path, (exchange) => {
        throw new ProblemError('method-not-allowed', `${exchange.method} is not one of ${allow}.`, {
          headers: { Allow: allow },
        });
      });
      this.#app.any(path.replaceAll(/\{(\w+)\}/g, ':$1'), refuse);
    }
    this.#app.any(
      '/*',
      this.#listener('unmatched', () => {
        throw new ProblemError('not-found', 'There is nothing at this address; /openapi.json lists what there is.');
      }),
    );
  }

  async listen(port: number, host: string): Promise<{ readonly port: number }> {
    const chosen = await choosePort(port, host);
    return new Promise((resolve, reject) => {
      this.#app.listen(host, chosen, (socket) => {
        if (socket === false) {
          reject(new Error(`Port ${chosen} on ${host} can't be opened`));
          return;
        }
        this.#listenSocket = socket;
        this.#live.start();
        resolve({ port: us_socket_local_port(socket) });
      });
    });
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#listenSocket !== undefined) us_listen_socket_close(this.#listenSocket);
    this.#live.stop();
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#limits.drainTimeoutMs);
        this.#drained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#app.close();
  }

  #readiness(): HttpResult {
    const missing = [...(this.#options.notReady?.() ?? [])];
    if (!this.#options.ports.gateway.ready()) missing.unshift('gateway');
    if (this.#closing) missing.unshift('closing');
    if (missing.length === 0) return json(200, { status: 'ready' });
    throw new ProblemError('unavailable', `Not ready: ${missing.join(', ')}.`, { headers: { 'Retry-After': '1' } });
  }

  /** What uWebSockets calls. It must not throw and must attach everything before it returns: see {@link HttpExchange}. */
  #listener(route: string, handler: Handler): (response: HttpResponse, request: HttpRequest) => void {
    const parameters = parameterNames(route).length;
    return (response, request) => {
      const startedAtMs = performance.now();
      const exchange = new HttpExchange(response, request, { parameters, bodyBytesMax: this.#limits.bodyBytesMax });
      this.#underWay += 1;
      void this.#answer(exchange, handler).then(async (result) => {
        await exchange.bodyEnd();
        const written = exchange.respond({
          ...result,
          headers: {
            ...SECURITY_HEADERS,
            ...result.headers,
            'X-Request-Id': exchange.requestId,
            traceparent: exchange.traceparent,
          },
        });
        const status = written ? result.status : CLIENT_CLOSED_REQUEST;
        const seconds = (performance.now() - startedAtMs) / 1000;
        this.#options.metrics.requestFinished(route, methodLabel(exchange.method), status, seconds);
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#drained?.();
      });
    };
  }

  async #answer(exchange: HttpExchange, handler: Handler): Promise<HttpResult> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = exchange.bodyComplete
          ? new UnavailableError('The request took too long; repeat it with the same Idempotency-Key.', 1)
          : new ProblemError('request-timeout', `The body did not arrive within ${this.#limits.handlerTimeoutMs} ms.`);
        reject(error);
        exchange.cancel(error);
      }, this.#limits.handlerTimeoutMs);
    });
    try {
      return await Promise.race([Promise.resolve(exchange).then(handler), timeout]);
    } catch (error) {
      return this.#failure(exchange, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(exchange: HttpExchange, error: unknown): HttpResult {
    const fields = { request_id: exchange.requestId, method: exchange.method, path: exchange.path };
    if (error instanceof ProblemError) return problemResult(error.problem, exchange.requestId, error.headers);
    const outage = outageOf(error);
    if (outage !== undefined) {
      this.#options.log.warn({ ...fields, err: error }, 'The platform could not answer a request');
      const headers = { 'Retry-After': String(Math.max(1, Math.ceil(outage.retryAfterSeconds))) };
      return problemResult(new ProblemError('unavailable', outage.message).problem, exchange.requestId, headers);
    }
    if (!(error instanceof ClientGoneError) && exchange.state !== 'aborted') {
      this.#options.log.error({ ...fields, err: error }, 'A request handler failed');
    }
    const { problem } = new ProblemError('internal', 'The request failed inside the service; its id is in `instance`.');
    return problemResult(problem, exchange.requestId);
  }
}

/** What the access metrics say when nobody was left to answer (nginx's number). */
const CLIENT_CLOSED_REQUEST = 499;

const KNOWN_METHODS = new Set(METHODS);

/** Clients may invent methods: each would be a time series of its own, kept for ever. */
function methodLabel(method: string): string {
  return KNOWN_METHODS.has(method) ? method : 'other';
}
