import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep, systemClock } from '../base/clock.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { type RegisteredSchema, type SchemaRegistry, SchemaRegistryError } from './schema-registry.ts';

/** Where a registry is, and how patiently it is asked. */
export interface SchemaRegistryClientOptions {
  /**
   * Base of the Confluent API, e.g. `http://localhost:8081` or Apicurio's `…/apis/ccompat/v7`; credentials in the URL
   * become basic authentication.
   */
  readonly url: string;
  /** Added to every request, such as a token. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Deadline of one attempt, in ms. Default: 5 000. */
  readonly timeoutMs?: number;
  /**
   * Attempts in all before the caller hears of an outage; the engine then pauses the partition and asks again. Default:
   * 3.
   */
  readonly attempts?: number;
  /** Wait before the second attempt, in ms; doubles each time up to a minute, half of it random. Default: 100. */
  readonly backoffMs?: number;
  /** Time and timers. Default: `systemClock`. */
  readonly clock?: Clock;
  /** For the random part of waits. Default: `systemRandom`. */
  readonly random?: Random;
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
/** Longest wait between two attempts: a caller that allows so many still learns of an outage within reason. */
const BACKOFF_MS_MAX = 60_000;
/** Schemas remembered by id. Ids are immutable; a registry has thousands at most, and a schema is a few KB. */
const REMEMBERED_SCHEMAS_MAX = 10_000;
/** Versions of one subject that are fetched at start: state older than this many schema changes is restored record by record. */
const VERSIONS_MAX = 50;
/** No schema is this long: a longer answer is refused. */
const ANSWER_CHARS_MAX = 4 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Client of a registry that speaks Confluent's HTTP API (Confluent, Apicurio, Karapace, Redpanda).
 *
 * Owns: what it has learned (schema by id, id by subject and schema) and the requests in flight.
 * Called by: Avro serdes of any task of this thread.
 * Invariants: I1 one request at a time for the same thing, whoever asks; I2 failures are not remembered; I3 every request has
 * a deadline and a bounded number of attempts.
 */
export class SchemaRegistryClient implements SchemaRegistry {
  readonly name: string;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #backoffMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #schemas = new Map<number, string>();
  readonly #ids = new Map<string, number>();
  readonly #inFlight = new Map<string, Promise<unknown>>();

  /** Asks nothing yet. Throws a `TypeError` for a `url` that is none. */
  constructor(options: SchemaRegistryClientOptions) {
    const url = new URL(options.url);
    this.#headers = { accept: `${CONTENT_TYPE}, application/json`, 'content-type': CONTENT_TYPE, ...options.headers };
    if (url.username !== '') {
      const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      this.#headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      url.username = '';
      url.password = '';
    }
    this.#base = url.href.replace(/\/+$/, '');
    this.name = this.#base;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#attempts = options.attempts ?? 3;
    this.#backoffMs = options.backoffMs ?? 100;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  /**
   * Registers a schema under a subject, or answers the id that it has there. Rejects with {@link SchemaRegistryError}.
   */
  register(subject: string, schema: string): Promise<number> {
    const key = `${subject}\n${schema}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return Promise.resolve(known);
    return this.#once(`register ${key}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const { status, body } = await this.#request('POST', path, { schema });
      const id = (body as { id?: unknown } | undefined)?.id;
      if (status >= 300 || typeof id !== 'number') throw refused(`registering a schema for ${subject}`, status, body);
      this.#ids.set(key, id);
      this.#remember(id, schema);
      return id;
    });
  }

  schemaById(id: number): Promise<string | undefined> {
    const known = this.#schemas.get(id);
    if (known !== undefined) return Promise.resolve(known);
    return this.#once(`schema ${id}`, async () => {
      const { status, body } = await this.#request('GET', `/schemas/ids/${id}`);
      if (status === 404) return undefined;
      const { schema, schemaType, references } = (body ?? {}) as Record<string, unknown>;
      if (status >= 300 || typeof schema !== 'string') throw refused(`schema id ${id}`, status, body);
      if ((schemaType !== undefined && schemaType !== 'AVRO') || (Array.isArray(references) && references.length > 0)) {
        // Known, but nothing an Avro reader can use: told apart from outages by being no JSON schema.
        return `"${String(schemaType ?? 'AVRO')} schema with references"`;
      }
      this.#remember(id, schema);
      return schema;
    });
  }

  versions(subject: string): Promise<readonly RegisteredSchema[]> {
    return this.#once(`versions ${subject}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const { status, body } = await this.#request('GET', path);
      if (status === 404) return [];
      if (status >= 300 || !Array.isArray(body)) throw refused(`versions of ${subject}`, status, body);
      const found: RegisteredSchema[] = [];
      for (const version of (body as number[]).slice(-VERSIONS_MAX)) {
        const one = await this.#request('GET', `${path}/${version}`);
        if (one.status === 404) continue;
        const { id, schema, schemaType } = (one.body ?? {}) as Record<string, unknown>;
        if (one.status >= 300 || typeof id !== 'number' || typeof schema !== 'string') {
          throw refused(`version ${version} of ${subject}`, one.status, one.body);
        }
        if (schemaType !== undefined && schemaType !== 'AVRO') continue;
        this.#remember(id, schema);
        found.push({ id, schema });
      }
      return found;
    });
  }

  #remember(id: number, schema: string): void {
    if (this.#schemas.size >= REMEMBERED_SCHEMAS_MAX) this.#schemas.clear();
    this.#schemas.set(id, schema);
  }

  #once<T>(key: string, start: () => Promise<T>): Promise<T> {
    const running = this.#inFlight.get(key) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const promise = start().finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, promise);
    return promise;
  }

  async #request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const bounds = { minMs: this.#backoffMs, maxMs: BACKOFF_MS_MAX };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(method, path, body);
      } catch (error) {
        if (!(error instanceof SchemaRegistryError) || error.recovery !== 'retry' || attempt >= this.#attempts)
          throw error;
      }
      await sleep(this.#clock, backoffMs(attempt, bounds, this.#random));
    }
  }

  async #attempt(method: 'GET' | 'POST', path: string, body: unknown): Promise<Answer> {
    const abort = new AbortController();
    const deadline = this.#clock.setTimer(this.#timeoutMs, () => abort.abort());
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers: this.#headers,
        signal: abort.signal,
        redirect: 'error',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 500 || response.status === 429 || response.status === 408) {
        throw refused(`${method} ${path}`, response.status, text);
      }
      return { status: response.status, body: parse(text, response.status, path) };
    } catch (error) {
      if (error instanceof SchemaRegistryError) throw error;
      const reason = abort.signal.aborted
        ? `no answer in ${this.#timeoutMs} ms`
        : String((error as Error).cause ?? error);
      throw new SchemaRegistryError(`Schema registry ${this.#base} is out of reach: ${reason}`, undefined, error);
    } finally {
      deadline.cancel();
    }
  }
}

function parse(text: string, status: number, path: string): unknown {
  if (text.length > ANSWER_CHARS_MAX) {
    throw new SchemaRegistryError(`Schema registry: the answer to ${path} has ${text.length} characters`, status);
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status >= 400) return text;
    throw new SchemaRegistryError(`Schema registry: the answer to ${path} is not JSON`, status, error);
  }
}

function refused(what: string, status: number, body: unknown): SchemaRegistryError {
  const detail = typeof body === 'string' ? body : ((body as { message?: string } | undefined)?.message ?? '');
  return new SchemaRegistryError(
    `Schema registry refused ${what}: HTTP ${status} ${detail.slice(0, 300)}`.trim(),
    status,
  );
}
