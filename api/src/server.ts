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
import { type CommandGateway, type Models, type Objects, type Queries, UnavailableError } from '@chip-quality/schemas';
import { type AuthOptions, createAuthenticator } from './auth/authenticator.ts';
import { dashboardEndpoints } from './dashboard/dashboard-files.ts';
import type { ApiLog, ApiMetrics } from './http/api-log.ts';
import { type Chain, chainOf, linksOf } from './http/chain.ts';
import { type Endpoint, routeEndpoint } from './http/endpoint.ts';
import { ClientGoneError, HttpExchange, type HttpResult } from './http/exchange.ts';
import { failureOf } from './http/failure.ts';
import { type ApiLimits, DEFAULT_LIMITS } from './http/limits.ts';
import type { LinkRequest } from './http/link.ts';
import type { Auditor } from './http/links/audit.ts';
import type { Limiter } from './http/links/limit.ts';
import { choosePort } from './http/listen-port.ts';
import { CLIENT_CLOSED_REQUEST, Passage } from './http/passage.ts';
import { ProblemError } from './http/problem.ts';
import { problemResult, SECURITY_HEADERS } from './http/response.ts';
import { parameterNames } from './http/route.ts';
import { LiveEndpoint } from './live/live-endpoint.ts';
import type { ApiClock, LiveFeed } from './ports.ts';
import { openApiDocument } from './routes/openapi.ts';
import { apiRoutes } from './routes/routes.ts';
import { serviceEndpoints } from './routes/service-endpoints.ts';

/** What `app/` gives the API. */
export interface ApiServerOptions {
  /** What the API asks of the platform. */
  readonly ports: {
    /** Carries commands to the platform and their answers back. */
    readonly gateway: CommandGateway;
    /** Reads parts, lots, inspections and artifacts. */
    readonly queries: Queries;
    /** Hands out addresses of the object store, and looks at what was uploaded. */
    readonly objects: Objects;
    /** Reads the models and their deployments. */
    readonly models: Models;
    /** What live clients are sent. */
    readonly live: LiveFeed;
    /** Says when tokens have expired, and dates commands and addresses. */
    readonly clock: ApiClock;
  };
  /** Which tokens are taken. */
  readonly auth: AuthOptions;
  /** Gets outages (`warn`) and defects (`error`); requests that were answered are in the metrics. */
  readonly log: ApiLog;
  /** Is told of each answer, and renders `/metrics`. */
  readonly metrics: ApiMetrics;
  /** Names of components that are not ready, asked by `/health/ready` besides the gateway; empty when all are. */
  readonly notReady?: () => readonly string[];
  /** Origins that presigned URLs point to (`http://127.0.0.1:9000`): the live page may show images from there. */
  readonly imageOrigins?: readonly string[];
  /** Bounds that differ from {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<ApiLimits>;
  /** Counts requests and refuses some. Default: none is refused. */
  readonly limiter?: Limiter;
  /** Records who did what. Default: nothing is recorded. */
  readonly auditor?: Auditor;
}

/** The running API. */
export interface ApiServer {
  /**
   * Opens the port and begins the heartbeats of live connections.
   *
   * @param port 0 for any free one.
   * @throws Error when the port is taken
   */
  listen(
    port: number,
    host: string,
  ): Promise<{
    /** The port that was opened. */
    readonly port: number;
  }>;
  /** Stops listening, lets requests under way finish (bounded), ends live connections. */
  close(): Promise<void>;
}

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
  readonly #chain: Chain;
  readonly #live: LiveEndpoint;
  #listenSocket: us_listen_socket | undefined;
  #underWay = 0;
  #isClosing = false;
  #drained: (() => void) | undefined;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { ports, log, metrics, limiter, auditor } = options;
    const links = linksOf({ auth: createAuthenticator(options.auth, ports.clock), limiter, auditor });
    this.#chain = chainOf(links);
    this.#app = App();
    this.#live = new LiveEndpoint({
      feed: ports.live,
      clock: ports.clock,
      chain: this.#chain,
      log,
      metrics,
      limits: this.#limits,
    });
    this.#live.mount(this.#app);
    const routes = apiRoutes(ports, this.#limits);
    this.#mount([
      ...routes.map(routeEndpoint),
      ...serviceEndpoints({
        document: openApiDocument(routes, links),
        metrics,
        notReady: () => this.#notReady(),
      }),
      ...dashboardEndpoints(options.imageOrigins ?? []),
    ]);
  }

  #mount(endpoints: readonly Endpoint[]): void {
    const methodsAt = new Map<string, string[]>();
    for (const endpoint of endpoints) {
      const { method, path } = endpoint;
      const pattern = patternOf(path);
      const listener = this.#listener(endpoint);
      if (method === 'GET') this.#app.get(pattern, listener).head(pattern, listener);
      else if (method === 'PUT') this.#app.put(pattern, listener);
      else this.#app.post(pattern, listener);
      const methods = method === 'GET' ? ['GET', 'HEAD'] : [method];
      methodsAt.set(path, [...(methodsAt.get(path) ?? []), ...methods]);
    }
    for (const [path, methods] of methodsAt) {
      this.#app.any(patternOf(path), this.#listener(otherMethods(path, methods.join(', '))));
    }
    this.#app.any('/*', this.#listener(UNMATCHED));
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
    if (this.#isClosing) return;
    this.#isClosing = true;
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

  #notReady(): readonly string[] {
    const missing = [...(this.#options.notReady?.() ?? [])];
    if (!this.#options.ports.gateway.isReady()) missing.unshift('gateway');
    if (this.#isClosing) missing.unshift('closing');
    return missing;
  }

  /** What uWebSockets calls. It must not throw and must attach everything before it returns: see {@link HttpExchange}. */
  #listener({ path: route, access, handle }: Pick<Endpoint, 'path' | 'access' | 'handle'>) {
    const parameters = parameterNames(route).length;
    return (response: HttpResponse, request: HttpRequest): void => {
      const passage = new Passage(this.#options.log);
      const exchange = new HttpExchange(response, request, { parameters, bodyBytesMax: this.#limits.bodyBytesMax });
      const { method, path, requestId, traceparent, signal } = exchange;
      const passing: LinkRequest = {
        method,
        route,
        access,
        path,
        requestId,
        traceparent,
        receivedAtMs: this.#options.ports.clock.nowMs(),
        credentials: { authorization: exchange.header('authorization'), token: undefined },
        signal,
        addHeader: passage.addHeader,
        onEnd: passage.onEnd,
      };
      this.#underWay += 1;
      const answer = this.#answer(exchange, () => this.#chain(passing, async (passed) => handle(exchange, passed)));
      void answer.then(async (result) => {
        await exchange.bodyEnd();
        const written = exchange.respond({
          ...result,
          headers: {
            ...SECURITY_HEADERS,
            ...passage.headers,
            ...result.headers,
            'X-Request-Id': requestId,
            traceparent,
          },
        });
        const status = written ? result.status : CLIENT_CLOSED_REQUEST;
        const durationMs = passage.end(status);
        this.#options.metrics.requestFinished(route, methodLabel(method), status, durationMs / 1_000);
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#drained?.();
      });
    };
  }

  /** What `work` answers, within the time there is. Never rejects. */
  async #answer(exchange: HttpExchange, work: () => Promise<HttpResult>): Promise<HttpResult> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = exchange.isBodyComplete
          ? new UnavailableError('The request took too long; repeat it with the same Idempotency-Key.', 1)
          : new ProblemError('request-timeout', `The body did not arrive within ${this.#limits.handlerTimeoutMs} ms.`);
        reject(error);
        exchange.cancel(error);
      }, this.#limits.handlerTimeoutMs);
    });
    try {
      return await Promise.race([work(), timeout]);
    } catch (error) {
      return this.#failure(exchange, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(exchange: HttpExchange, error: unknown): HttpResult {
    const { kind, problem, headers } = failureOf(error);
    const fields = { request_id: exchange.requestId, method: exchange.method, path: exchange.path, err: error };
    if (kind === 'outage') this.#options.log.warn(fields, 'The platform could not answer a request');
    const hasLeft = error instanceof ClientGoneError || exchange.state === 'aborted';
    if (kind === 'defect' && !hasLeft) this.#options.log.error(fields, 'A request handler failed');
    return problemResult(problem, exchange.requestId, headers);
  }
}

/** uWebSockets' spelling of a path template. */
function patternOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

type Refusal = Pick<Endpoint, 'path' | 'access' | 'handle'>;

/** The methods that an address doesn't have. */
function otherMethods(path: string, allow: string): Refusal {
  return {
    path,
    access: { kind: 'public', why: 'The OpenAPI document says as much.' },
    handle: (exchange) => {
      throw new ProblemError('method-not-allowed', `${exchange.method} is not one of ${allow}.`, {
        headers: { Allow: allow },
      });
    },
  };
}

const UNMATCHED: Refusal = {
  path: 'unmatched',
  access: { kind: 'public', why: 'There is nothing to protect.' },
  handle: () => {
    throw new ProblemError('not-found', 'There is nothing at this address; /openapi.json lists what there is.');
  },
};

const KNOWN_METHODS = new Set(METHODS);

/** Clients may invent methods: each would be a time series of its own, kept for ever. */
function methodLabel(method: string): string {
  return KNOWN_METHODS.has(method) ? method : 'other';
}
