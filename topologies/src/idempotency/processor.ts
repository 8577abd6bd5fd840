import {
  type ApiReply,
  type ApiRequest,
  type ApiResponse,
  type Command,
  commandId,
  type IdempotencyEntry,
  topics,
} from '@chip-quality/schemas';
import { type KeyValueStore, type Processor, type ProcessorContext, Record } from 'millrace';
import { type ActorProblem, problem } from '../actor/problems.ts';
import { traceHeaders } from '../actor/trace-headers.ts';

/** A command that hasn't been answered after this long is sent again with the next request: actors answer repetitions alike. */
export const IN_FLIGHT_EXPIRY_MS = 10_000;
/** How long an answer is kept for repetitions. */
export const KEY_RETENTION_MS = 24 * 3_600_000;
/** Time between two firings of the clean-up. */
export const SWEEP_INTERVAL_MS = 5_000;
/** Entries that one firing looks at: 2,000 cost a few ms, and a million keys are gone through in 42 minutes. */
export const SWEEP_ENTRIES_MAX = 2_000;

/** Child nodes that the processor names when it forwards. */
export const idempotencySinks = {
  inspectionCommands: 'inspection-commands',
  catalogCommands: 'catalog-commands',
  modelCommands: 'model-commands',
  responses: 'responses',
} as const;

/** Store of what is known about each key: its command and, once there is one, its answer. */
export const IDEMPOTENCY_STORE = 'idempotency';

type In = ApiRequest | ApiReply;
type Out = Command | ApiResponse;

/**
 * The idempotency actor: the first request of a key becomes a command, its answer is kept, every repetition gets that answer.
 *
 * Owns: the store of keys of one partition.
 * Called by: the task, with `api.requests` and `api.replies` of the same partition.
 * Invariants: I1 a key has at most one command, whose bytes never change; I2 an answer once stored never changes; I3 the
 * redelivery of a request is no repetition: it has the request id that the entry has, and gets what the request got.
 */
export class IdempotencyProcessor implements Processor<string, In, string, Out> {
  #context!: ProcessorContext<string, Out>;
  #store!: KeyValueStore<string, IdempotencyEntry>;
  #sweptTo: string | undefined;

  init(context: ProcessorContext<string, Out>): void {
    this.#context = context;
    this.#store = context.getStateStore(IDEMPOTENCY_STORE);
    context.schedule({
      intervalMs: SWEEP_INTERVAL_MS,
      type: 'WALL_CLOCK_TIME',
      callback: (nowMs) => this.#sweep(nowMs),
    });
  }

  process(record: Record<string, In>): void {
    const { key, value, timestamp } = record;
    // Nobody writes tombstones or keyless records here; what isn't a request can't be answered.
    if (key === null || value === null) return;
    if (this.#context.recordMetadata()?.topic === topics.apiReplies) this.#onReply(key, value as ApiReply, timestamp);
    else this.#onRequest(key, value as ApiRequest, timestamp);
  }

  #onRequest(key: string, request: ApiRequest, timestamp: number): void {
    const entry = this.#store.get(key);
    if (entry === undefined) {
      this.#dispatch(
        key,
        {
          request_id: request.request_id,
          command_id: commandId(request.tenant_id, request.idempotency_key),
          operation: request.operation,
          resource_id: request.resource_id,
          payload_hash: request.payload_hash,
          subject: request.subject,
          traceparent: request.traceparent,
          payload: request.payload,
          issued_at: request.received_at,
          dispatched_at: request.received_at,
          status: null,
          body: '',
        },
        request,
        timestamp,
      );
      return;
    }
    if (entry.payload_hash !== request.payload_hash) {
      this.#refuse(key, request, timestamp, problem('key-reused', 'Use a new Idempotency-Key for another request.'));
    } else if (entry.status !== null) {
      const replayed = entry.request_id !== request.request_id;
      this.#respond(key, request, { status: entry.status, body: entry.body, replayed }, timestamp);
    } else if (entry.request_id === request.request_id) {
      this.#dispatch(key, entry, request, timestamp);
    } else if (request.received_at - entry.dispatched_at >= IN_FLIGHT_EXPIRY_MS) {
      this.#dispatch(
        key,
        { ...entry, request_id: request.request_id, dispatched_at: request.received_at },
        request,
        timestamp,
      );
    } else {
      const detail = 'The request before has no answer yet. Repeat it in a few seconds.';
      this.#refuse(key, request, timestamp, problem('key-in-flight', detail));
    }
  }

  #onReply(key: string, reply: ApiReply, timestamp: number): void {
    const entry = this.#store.get(key);
    if (entry === undefined || entry.command_id !== reply.command_id) return;
    const answer = { status: entry.status ?? reply.status, body: entry.status === null ? reply.body : entry.body };
    // A failure of ours is no answer to keep: the next request tries again.
    if (answer.status >= 500) this.#store.delete(key);
    else if (entry.status === null) this.#store.put(key, { ...entry, ...answer, payload: '' });
    // Also when it was stored already: the first response may have been lost with a crash.
    this.#respond(
      key,
      { request_id: entry.request_id, tenant_id: reply.tenant_id, traceparent: entry.traceparent },
      { ...answer, replayed: false },
      timestamp,
    );
  }

  #dispatch(key: string, entry: IdempotencyEntry, request: ApiRequest, timestamp: number): void {
    this.#store.put(key, entry);
    const command: Command = {
      command_id: entry.command_id,
      tenant_id: request.tenant_id,
      subject: entry.subject,
      idempotency_key: request.idempotency_key,
      operation: entry.operation,
      resource_id: entry.resource_id,
      payload: entry.payload,
      traceparent: entry.traceparent,
      issued_at: entry.issued_at,
    };
    const sink = sinkOf(entry.operation);
    this.#context.forward(
      new Record<string, Out>(entry.resource_id, command, timestamp, traceHeaders(entry.traceparent)),
      sink,
    );
  }

  #refuse(key: string, request: ApiRequest, timestamp: number, refusal: ActorProblem): void {
    this.#respond(key, request, { status: refusal.status, body: JSON.stringify(refusal), replayed: false }, timestamp);
  }

  #respond(
    key: string,
    request: Pick<ApiRequest, 'request_id' | 'tenant_id' | 'traceparent'>,
    answer: Pick<ApiResponse, 'status' | 'body' | 'replayed'>,
    timestamp: number,
  ): void {
    const response: ApiResponse = { request_id: request.request_id, tenant_id: request.tenant_id, ...answer };
    this.#context.forward(
      new Record<string, Out>(key, response, timestamp, traceHeaders(request.traceparent)),
      idempotencySinks.responses,
    );
  }

  /** Looks at the next entries in key order and forgets old ones; goes round and round. */
  #sweep(nowMs: number): void {
    const expired: string[] = [];
    let seen = 0;
    let last: string | undefined;
    using entries = this.#store.range(this.#sweptTo, undefined);
    for (const { key, value } of entries) {
      last = key;
      if (nowMs - value.dispatched_at >= KEY_RETENTION_MS) expired.push(key);
      seen += 1;
      if (seen >= SWEEP_ENTRIES_MAX) break;
    }
    this.#sweptTo = seen >= SWEEP_ENTRIES_MAX ? last : undefined;
    for (const key of expired) this.#store.delete(key);
  }
}

/** Each actor has a topic of commands of its own. */
function sinkOf(operation: string): string {
  if (operation.startsWith('inspection.')) return idempotencySinks.inspectionCommands;
  return operation.startsWith('model.') ? idempotencySinks.modelCommands : idempotencySinks.catalogCommands;
}
