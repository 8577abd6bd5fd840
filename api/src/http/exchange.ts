import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { DISCARD_BYTES_MAX } from './limits.ts';
import { ProblemError } from './problem.ts';
import { continueTrace } from './trace-context.ts';

/** Longer would delay refusals to slow clients; shorter would close connections whose body is only a little late. */
const EARLY_ANSWER_WAIT_MS = 100;

/** What a handler answers with; header names as they go out. */
export interface HttpResult {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * One request and its answer, safe to use after the first `await`.
 *
 * Owns: the uWebSockets response object, the received body, the abort signal.
 * Called by: `server.ts`, once per request, on the event loop's thread.
 * Invariants: I1 everything that is needed of uWebSockets' request object is copied in the constructor: it is dead
 * afterwards; I2 the response object is never touched after an abort or after the answer (uWebSockets throws then); I3
 * exactly one answer is written, corked; later ones are dropped; I4 at most `bodyBytesMax` bytes of a body are kept; I5
 * an answer that leaves before the body has arrived closes the connection, since the rest would read as a new request.
 */
export class HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly params: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  /** UUIDv7; goes out as `X-Request-Id` and is the correlation id of the command. */
  readonly requestId: string;
  /** Our span within the caller's trace. */
  readonly traceparent: string;
  /** The whole body, once it is there; rejects with a {@link ProblemError} when it is too large or the client is gone. */
  readonly body: Promise<Buffer>;
  readonly #response: HttpResponse;
  readonly #abort = new AbortController();
  #state: 'open' | 'answered' | 'aborted' = 'open';
  #isBodyComplete = false;
  #onBodyEnd: (() => void) | undefined;

  constructor(response: HttpResponse, request: HttpRequest, options: { parameters: number; bodyBytesMax: number }) {
    this.#response = response;
    this.method = request.getCaseSensitiveMethod().toUpperCase();
    this.path = request.getUrl();
    this.query = request.getQuery();
    this.params = Array.from({ length: options.parameters }, (_, index) => request.getParameter(index) ?? '');
    const headers = new Map<string, string>();
    request.forEach((key, value) => {
      if (!headers.has(key)) headers.set(key, value);
    });
    this.headers = headers;
    this.requestId = uuidv7();
    this.traceparent = continueTrace(this.header('traceparent'));
    response.onAborted(() => {
      if (this.#state === 'open') this.#state = 'aborted';
      this.#onBodyEnd?.();
      this.#abort.abort(new ClientGoneError());
    });
    // uWebSockets reports the end of an absent body only after the handler's first synchronous part: too late for I5.
    const length = this.header('content-length');
    this.#isBodyComplete = this.header('transfer-encoding') === '' && (length === '' || Number(length) === 0);
    this.body = this.#receive(options.bodyBytesMax);
    // A handler that refuses the request never looks at the body: that is not an unhandled rejection.
    this.body.catch(() => {});
  }

  /** First value of a header, by lower-case name; empty when absent. */
  header(name: string): string {
    return this.headers.get(name) ?? '';
  }

  /** Aborts when the client goes away or {@link cancel} is called. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get state(): 'open' | 'answered' | 'aborted' {
    return this.#state;
  }

  /** True once the last byte of the body has arrived. */
  get isBodyComplete(): boolean {
    return this.#isBodyComplete;
  }

  /**
   * Waits a little for the rest of a body that nobody asked for, so that an early refusal need not cost the connection
   * (I5): the bytes are usually in the same packet as the head.
   */
  async bodyEnd(): Promise<void> {
    if (this.#isBodyComplete || this.#state !== 'open') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EARLY_ANSWER_WAIT_MS);
      this.#onBodyEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Tells whoever works for this request to stop, for instance after a timeout. */
  cancel(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** Writes the answer. Returns false when the client is gone or an answer was already written. */
  respond(result: HttpResult): boolean {
    if (this.#state !== 'open') return false;
    this.#state = 'answered';
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(`${result.status} ${STATUS_CODES[result.status] ?? 'Unknown'}`);
      for (const [name, value] of Object.entries(result.headers ?? {})) response.writeHeader(name, value);
      const close = !this.#isBodyComplete;
      if (close) response.writeHeader('Connection', 'close');
      const body = result.body ?? '';
      if (this.method === 'HEAD') response.endWithoutBody(Buffer.byteLength(body), close);
      else response.end(body, close);
    });
    return true;
  }

  #receive(bodyBytesMax: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const tooLarge = () => new ProblemError('body-too-large', `The body may have ${bodyBytesMax} bytes at most.`);
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
      // More is announced than is read and thrown away: answer at once.
      if (Number(this.header('content-length')) > DISCARD_BYTES_MAX) reject(tooLarge());
      this.#response.onData((chunk, isLast) => {
        bytes += chunk.byteLength;
        if (bytes <= bodyBytesMax)
          chunks.push(Buffer.from(chunk.slice(0))); // the view is only valid during this call
        else chunks.length = 0;
        if (isLast) this.#isBodyComplete = true;
        if (isLast || bytes > DISCARD_BYTES_MAX) this.#onBodyEnd?.();
        if (bytes > bodyBytesMax && (isLast || bytes > DISCARD_BYTES_MAX)) reject(tooLarge());
        else if (isLast) resolve(Buffer.concat(chunks));
      });
    });
  }
}

/** The client closed the connection before its answer was ready. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
  constructor() {
    super('The client closed the connection');
  }
}
