import {
  type ApiRequest,
  type ApiResponse,
  type CommandGateway,
  type CommandReply,
  type CommandRequest,
  PARTITIONS,
  requestKey,
  topics,
  UnavailableError,
} from '@chip-quality/schemas';
import { Partitioners } from 'kafkajs';
import type { Log, Serde } from 'millrace';
import { CommandProducer } from './command-producer.ts';
import { PartitionLanes } from './partition-lanes.ts';

/** Longest wait for an answer. Creates take under 200 ms; after this the client does better to repeat with the same key. */
const REPLY_TIMEOUT_MS = 8_000;
/** Requests waiting at once: ten times what one API instance serves in a second; above it we are overloaded. */
const PENDING_MAX = 10_000;
const RETRY_AFTER_SECONDS = 1;

/** How requests reach Kafka, and how long answers are waited for. */
export interface CommandGatewayOptions {
  /** Kafka brokers, `host:port`. */
  readonly bootstrapServers: readonly string[];
  /** Name in the broker's logs and quotas. */
  readonly clientId: string;
  /** Serde of `api.requests` values. */
  readonly requestSerde: Serde<ApiRequest>;
  /** Told of lost connections and of what kafkajs has to say. */
  readonly log: Log;
  /** Whether the reader of `api.responses` is live; without it no answer can come. Default: always. */
  readonly repliesReady?: () => boolean;
  /** Longest wait for an answer, ms. Default 8,000. */
  readonly replyTimeoutMs?: number;
  /** Default: the shared topic. */
  readonly topic?: string;
}

interface Pending {
  readonly resolve: (reply: CommandReply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Puts requests on `api.requests` and waits for the answers on `api.responses`, matched by request id.
 *
 * Owns: the producer and the map of waiting requests.
 * Called by: the API (`execute`, `ready`), the reader of `api.responses` (`onReply`), the composition root (`start`, `close`).
 * Invariants: I1 every `execute` settles within the reply timeout; I2 at most PENDING_MAX wait; I3 a request is entered before
 * it is sent, so no answer can overtake it.
 */
export class KafkaCommandGateway implements CommandGateway {
  readonly #options: CommandGatewayOptions;
  readonly #producer: CommandProducer;
  readonly #lanes: PartitionLanes;
  readonly #pending = new Map<string, Pending>();
  readonly #topic: string;
  // Java's murmur2 over the key bytes, as the engine and every Java client partition.
  readonly #partitioner = Partitioners.DefaultPartitioner();
  readonly #partitions = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  #isConfigured = false;
  #isClosed = false;

  /** Connects nothing: see {@link CommandGateway.start}. */
  constructor(options: CommandGatewayOptions) {
    this.#options = options;
    this.#topic = options.topic ?? topics.apiRequests;
    this.#producer = new CommandProducer({ ...options, topic: this.#topic });
    this.#lanes = new PartitionLanes((partition, messages) => this.#producer.send(partition, messages));
  }

  /** Registers the schema and connects. Rejects when the registry refuses the schema; a broker that is away is waited for. */
  async start(): Promise<void> {
    await this.#options.requestSerde.configure?.({ topic: this.#topic, side: 'value', reads: false, writes: true });
    this.#isConfigured = true;
    await this.#producer.connect();
  }

  /** Whether `execute` would be tried now: the broker is connected and answers can be read. */
  isReady(): boolean {
    return this.#isConnected && this.#canBeAnswered;
  }

  /** Requests waiting for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Rejects with an unavailable error when the broker or the answer doesn't come, and with the signal's reason when aborted. */
  async execute(request: CommandRequest, signal: AbortSignal): Promise<CommandReply> {
    signal.throwIfAborted();
    if (this.#isClosed) throw this.#unavailable('shutting down');
    if (!this.#isConnected) throw this.#unavailable('not connected to the broker');
    if (!this.#canBeAnswered) throw this.#unavailable('answers can not be read at the moment');
    if (this.#pending.size >= PENDING_MAX) throw this.#unavailable('too many requests are waiting');
    const { requestId } = request;
    const timeoutMs = this.#options.replyTimeoutMs ?? REPLY_TIMEOUT_MS;
    return new Promise<CommandReply>((resolve, reject) => {
      const onAbort = () => pending.reject(signal.reason as Error);
      const timer = setTimeout(() => pending.reject(this.#unavailable(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(requestId);
      };
      const pending: Pending = {
        resolve: (reply) => {
          settle();
          resolve(reply);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(requestId, pending);
      this.#send(request).catch((error: unknown) =>
        pending.reject(this.#unavailable('the broker did not take the request', error)),
      );
    });
  }

  /** An answer was read from `api.responses`; answers for other instances are ignored. */
  onReply(response: ApiResponse): void {
    this.#pending.get(response.request_id)?.resolve({
      status: response.status,
      body: JSON.parse(response.body) as Record<string, unknown>,
      replayed: response.replayed,
    });
  }

  /** Rejects what still waits and disconnects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pending of [...this.#pending.values()]) pending.reject(this.#unavailable('shutting down'));
    await this.#producer.close();
  }

  get #isConnected(): boolean {
    return this.#isConfigured && this.#producer.isConnected;
  }

  get #canBeAnswered(): boolean {
    return this.#options.repliesReady?.() ?? true;
  }

  async #send(request: CommandRequest): Promise<void> {
    const key = requestKey(request.tenantId, request.idempotencyKey);
    const value = this.#options.requestSerde.serialize(
      {
        request_id: request.requestId,
        tenant_id: request.tenantId,
        subject: request.subject,
        idempotency_key: request.idempotencyKey,
        operation: request.operation,
        resource_id: request.resourceId,
        payload: JSON.stringify(request.payload),
        payload_hash: request.payloadHash,
        traceparent: request.traceparent,
        received_at: request.receivedAtMs,
      },
      this.#topic,
    );
    const partition = this.#partitioner({
      topic: this.#topic,
      partitionMetadata: this.#partitions,
      message: { key, value },
    });
    await this.#lanes.push(partition, {
      key,
      value,
      timestampMs: request.receivedAtMs,
      headers: request.traceparent === '' ? {} : { traceparent: request.traceparent },
    });
  }

  #unavailable(message: string, cause?: unknown): Error {
    return new UnavailableError(message, RETRY_AFTER_SECONDS, cause);
  }
}
