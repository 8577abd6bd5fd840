import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { UnavailableError } from '@chip-quality/schemas';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../auth/principal.ts';
import type { ApiLog, ApiMetrics } from '../http/api-log.ts';
import type { Chain } from '../http/chain.ts';
import { failureOf } from '../http/failure.ts';
import type { ApiLimits } from '../http/limits.ts';
import type { LinkRequest } from '../http/link.ts';
import { CLIENT_CLOSED_REQUEST, Passage } from '../http/passage.ts';
import { ProblemError } from '../http/problem.ts';
import { problemResult, SECURITY_HEADERS } from '../http/response.ts';
import { continueTrace } from '../http/trace-context.ts';
import type { ApiClock, LiveFeed } from '../ports.ts';
import { CLOSE_CODES, LiveSession, type ResumePoint, ResumeQuery } from './live-session.ts';

/** The subprotocol that a client offers beside `bearer.<JWT>`; the token is never echoed if this one is offered. */
export const LIVE_PROTOCOL = 'chip-quality.live.v1';
const BEARER_PREFIX = 'bearer.';
const PATH = '/v1/live';
const SWITCHING_PROTOCOLS = 101;
/** Clients send no messages. */
const CLIENT_MESSAGE_BYTES_MAX = 1024;
/** Above the heartbeat; uWebSockets pings by itself before it gives up on a silent client. */
const IDLE_TIMEOUT_SECONDS = 60;

/** What the endpoint shows, to whom, and within which bounds. */
export interface LiveEndpointOptions {
  /** Where the messages come from. */
  readonly feed: LiveFeed;
  /** Says when tokens have expired, and dates the messages. */
  readonly clock: ApiClock;
  /** The links before every handler: opening a live connection goes through them, too. */
  readonly chain: Chain;
  /** Gets what fails while a connection is opened. */
  readonly log: ApiLog;
  /** Is told how many clients are connected. */
  readonly metrics: ApiMetrics;
  /** Clients at once, bytes that may wait for each, time between heartbeats. */
  readonly limits: ApiLimits;
}

interface SocketData {
  readonly principal: Principal;
  readonly resume: ResumePoint | undefined;
  session: LiveSession | undefined;
  closed: boolean;
}

/**
 * The WebSocket `/v1/live`.
 *
 * Owns: the open sockets, the heartbeat timer.
 * Called by: `server.ts` and uWebSockets.
 * Invariants:
 *  I1 a socket is upgraded only when the links let it through, which asks for `live:read`; refusals are HTTP answers with problems;
 *  I2 a client that cannot keep up is closed (it resumes by offset), never skipped silently;
 *  I3 a socket is not touched after its close event.
 */
export class LiveEndpoint {
  readonly #options: LiveEndpointOptions;
  readonly #sockets = new Set<WebSocket<SocketData>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveEndpointOptions) {
    this.#options = options;
  }

  /** Adds `/v1/live` to the app; before `start`. */
  mount(app: TemplatedApp): void {
    app.ws<SocketData>(PATH, {
      maxPayloadLength: CLIENT_MESSAGE_BYTES_MAX,
      maxBackpressure: this.#options.limits.liveBackpressureBytesMax,
      closeOnBackpressureLimit: true,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => this.#open(socket),
      close: (socket) => this.#closed(socket),
    });
  }

  /** Begins the heartbeats. */
  start(): void {
    this.#timer = setInterval(() => this.#heartbeat(), this.#options.limits.heartbeatMs);
  }

  /** Sends every client away; they come back to another instance, or to this one when it is up again. */
  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) {
      socket.getUserData().session?.end();
      socket.end(CLOSE_CODES.goingAway, 'server is closing');
    }
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const passage = new Passage(this.#options.log);
    const gone = new AbortController();
    response.onAborted(() => gone.abort());
    // Everything of the request is read now: it is dead after the first await.
    const key = request.getHeader('sec-websocket-key');
    const extensions = request.getHeader('sec-websocket-extensions');
    const query = Object.fromEntries(new URLSearchParams(request.getQuery()));
    const { token, protocol } = offerOf(request.getHeader('sec-websocket-protocol'));
    const passing: LinkRequest = {
      method: 'GET',
      route: PATH,
      access: { kind: 'token', scope: 'live:read' },
      path: request.getUrl(),
      requestId: uuidv7(),
      traceparent: continueTrace(request.getHeader('traceparent')),
      receivedAtMs: this.#options.clock.nowMs(),
      credentials: {
        authorization: request.getHeader('authorization'),
        token: token || query.access_token || undefined,
      },
      signal: gone.signal,
      addHeader: passage.addHeader,
      onEnd: passage.onEnd,
    };
    const admitted = this.#options.chain(passing, async ({ principal }) => this.#admit(principal, query));
    void admitted.then(
      (data) => {
        passage.end(gone.signal.aborted ? CLIENT_CLOSED_REQUEST : SWITCHING_PROTOCOLS);
        if (!gone.signal.aborted) response.cork(() => response.upgrade(data, key, protocol, extensions, context));
      },
      (error: unknown) => {
        const status = gone.signal.aborted ? CLIENT_CLOSED_REQUEST : this.#refuse(response, passing, passage, error);
        passage.end(status);
      },
    );
  }

  #admit(principal: Principal | undefined, query: Readonly<Record<string, string>>): SocketData {
    if (principal === undefined) throw new Error(`nobody was authenticated for ${PATH}`);
    if (this.#sockets.size >= this.#options.limits.liveClientsMax) {
      throw new UnavailableError('Too many live clients', 10);
    }
    const wantsResume = query.epoch !== undefined || query.offset !== undefined;
    const resume = wantsResume ? ResumeQuery.safeParse(query) : undefined;
    if (resume?.success === false) {
      const errors = resume.error.issues.map((issue) => ({
        in: 'query' as const,
        field: issue.path.join('.'),
        message: issue.message,
      }));
      throw new ProblemError('invalid-request', 'To resume, give the epoch and the offset you had.', { errors });
    }
    return { principal, resume: resume?.data, session: undefined, closed: false };
  }

  /** Answers the status. */
  #refuse(response: HttpResponse, { requestId }: LinkRequest, passage: Passage, error: unknown): number {
    const { kind, problem, headers } = failureOf(error);
    if (kind === 'defect') {
      this.#options.log.error({ err: error, request_id: requestId }, 'Opening a live connection failed');
    }
    const result = problemResult(problem, requestId, headers);
    response.cork(() => {
      response.writeStatus(`${result.status} ${STATUS_CODES[result.status]}`);
      for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...passage.headers, ...result.headers })) {
        response.writeHeader(name, value);
      }
      response.end(result.body as string, true);
    });
    return result.status;
  }

  #open(socket: WebSocket<SocketData>): void {
    const data = socket.getUserData();
    this.#sockets.add(socket);
    this.#options.metrics.liveClients(this.#sockets.size);
    const connection = {
      send: (text: string) => {
        if (!data.closed) socket.send(text);
      },
      close: (code: number, reason: string) => {
        if (!data.closed) socket.end(code, reason);
      },
    };
    data.session = new LiveSession(connection, this.#options.feed, data.principal);
    data.session.start(data.resume, this.#options.clock.nowMs());
  }

  #closed(socket: WebSocket<SocketData>): void {
    const data = socket.getUserData();
    data.closed = true;
    data.session?.end();
    this.#sockets.delete(socket);
    this.#options.metrics.liveClients(this.#sockets.size);
  }

  #heartbeat(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const socket of this.#sockets) socket.getUserData().session?.heartbeat(nowMs);
  }
}

/** The token that a client offers as a subprotocol, and the protocol to answer with. */
function offerOf(header: string): { readonly token: string | undefined; readonly protocol: string } {
  const offered = header.split(',').map((name) => name.trim());
  const bearer = offered.find((name) => name.startsWith(BEARER_PREFIX));
  return {
    token: bearer?.slice(BEARER_PREFIX.length),
    // A browser refuses a connection whose offered protocols are all ignored.
    protocol: offered.includes(LIVE_PROTOCOL) ? LIVE_PROTOCOL : (bearer ?? ''),
  };
}
