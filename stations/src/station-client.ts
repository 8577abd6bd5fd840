import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@chip-quality/schemas';

/** Waits before a request is repeated. */
const RETRY_BACKOFF = { minMs: 100, maxMs: 5_000 };
/** A station gives a request up after this long: longer than a platform restart takes on a slow machine. */
const REQUEST_DEADLINE_MS = 300_000;
/** One attempt; the platform answers creates within 200 ms at p95, uploads are about 100 KB. */
const ATTEMPT_TIMEOUT_MS = 30_000;

/** The API refused a request for good: a problem document (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(request: string, status: number, problem: Readonly<Record<string, unknown>>) {
    super(`${request}: ${status} ${String(problem['title'] ?? '')} ${String(problem['detail'] ?? '')}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Where the platform is, and how a station identifies itself. */
export interface StationClientOptions {
  /** e.g. `http://127.0.0.1:8080` */
  readonly baseUrl: string;
  /** Called before each request, so that a token may expire and be renewed during a long run. */
  readonly token: () => Promise<string>;
  /** In [0, 1); for the jitter. */
  readonly random: () => number;
}

/** A JSON object whose fields the caller knows. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * A test station's view of the platform: nothing but the public HTTP API and the presigned URLs it hands out, with an
 * Idempotency-Key on whatever changes something and retries with backoff on whatever may be repeated.
 */
export class StationClient {
  readonly #options: StationClientOptions;

  constructor(options: StationClientOptions) {
    this.#options = options;
  }

  get(path: string): Promise<Json> {
    return this.#request('GET', path, undefined, undefined);
  }

  post(path: string, body: Json, idempotencyKey: string): Promise<Json> {
    return this.#request('POST', path, body, idempotencyKey);
  }

  /**
   * Uploads an object: asks for a URL, puts the bytes there, and asks for a new URL when it expired meanwhile. Answers what
   * the platform said about the artifact.
   */
  async upload(path: string, request: Json, bytes: Uint8Array<ArrayBuffer>, idempotencyKey: string): Promise<Json> {
    return this.#retry(`PUT for ${path}`, async () => {
      const presigned = await this.post(path, request, idempotencyKey);
      const response = await fetch(String(presigned['upload_url']), {
        method: 'PUT',
        headers: { 'content-type': String(request['content_type']) },
        body: bytes,
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.ok) return presigned;
      // 403: the URL expired while this station was down; anything else may pass as well.
      throw new RepeatableError(`upload answered ${response.status}: ${text.slice(0, 200)}`, undefined);
    });
  }

  async #request(
    method: string,
    path: string,
    body: Json | undefined,
    idempotencyKey: string | undefined,
  ): Promise<Json> {
    return this.#retry(`${method} ${path}`, async () => {
      const response = await fetch(`${this.#options.baseUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await this.#options.token()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      const text = await response.text();
      const answer = (text === '' ? {} : JSON.parse(text)) as Json;
      if (response.ok) return answer;
      if (mayRepeat(response.status, answer)) {
        const retryAfter = Number(response.headers.get('retry-after'));
        throw new RepeatableError(
          `answered ${response.status} ${String(answer['detail'] ?? '')}`,
          Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1_000 : undefined,
        );
      }
      throw new ProblemError(`${method} ${path}`, response.status, answer);
    });
  }

  async #retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + REQUEST_DEADLINE_MS;
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof ProblemError) throw error;
        const askedMs = error instanceof RepeatableError ? (error.retryAfterMs ?? 0) : 0;
        const waitMs = Math.max(askedMs, backoffMs(failures, RETRY_BACKOFF, this.#options.random));
        if (performance.now() + waitMs > deadlineMs) {
          throw new Error(`${what}: gave up after ${REQUEST_DEADLINE_MS / 1_000} s`, { cause: error });
        }
        await sleep(waitMs);
      }
    }
  }
}

class RepeatableError extends Error {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs: number | undefined) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** In flight under the same key (409), too many, or the platform's own trouble: the same request again is safe and useful. */
function mayRepeat(status: number, problem: Json): boolean {
  if (status === 409) return String(problem['type'] ?? '').endsWith('in-flight');
  return status === 408 || status === 425 || status === 429 || status >= 500;
}
