import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@chip-quality/schemas';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import type { Log } from 'millrace';
import type { LaneMessage } from './partition-lanes.ts';

/** A request waits a few seconds at most, so the producer gives up early and lets the client repeat. */
const REQUEST_TIMEOUT_MS = 3_000;
const CONNECTION_TIMEOUT_MS = 2_000;
const SEND_RETRIES = 3;
const RETRY_INITIAL_MS = 50;
const RETRY_MAX_MS = 500;
/** Backoff between producers: half the client's patience at most. */
const RECONNECT = { minMs: 200, maxMs: 5_000 };

/** Where requests go, and who is told of trouble. */
export interface CommandProducerOptions {
  readonly bootstrapServers: readonly string[];
  readonly clientId: string;
  readonly topic: string;
  readonly log: Log;
}

/**
 * An idempotent kafkajs producer that is thrown away after any error: after an indefinite one its sequence numbers no longer
 * say what the broker has. The next one connects in the background, with backoff, until `close`.
 *
 * Owns: at most one live producer.
 * Called by: the command gateway.
 * Invariants: I1 a producer that failed once is never used again; I2 `send` never waits for a connection: it rejects while there is none.
 */
export class CommandProducer {
  readonly #options: CommandProducerOptions;
  readonly #kafka: Kafka;
  readonly #closing = new AbortController();
  #producer: Producer | undefined;
  #connecting: Promise<void> | undefined;

  constructor(options: CommandProducerOptions) {
    this.#options = options;
    this.#kafka = new Kafka({
      clientId: options.clientId,
      brokers: [...options.bootstrapServers],
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: { retries: SEND_RETRIES, initialRetryTime: RETRY_INITIAL_MS, maxRetryTime: RETRY_MAX_MS },
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => {
        // A warning about what is done on purpose: an idempotent producer that gives up is thrown away.
        if (entry.log.message.startsWith('Limiting retries')) return;
        options.log.warn({ kafkajs: entry.log }, `kafkajs: ${entry.log.message}`);
      },
    });
  }

  /** Resolves when a producer is connected; tries until `close`. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  get isConnected(): boolean {
    return this.#producer !== undefined;
  }

  /** One partition a call, acknowledged by all in-sync replicas. Rejects at once while no producer is connected. */
  async send(partition: number, messages: readonly LaneMessage[]): Promise<void> {
    const producer = this.#producer;
    if (producer === undefined) throw new Error('no connection to the broker');
    try {
      await producer.send({
        topic: this.#options.topic,
        acks: -1,
        messages: messages.map((message) => ({
          partition,
          key: message.key,
          value: message.value,
          timestamp: String(message.timestampMs),
          headers: { ...message.headers },
        })),
      });
    } catch (error) {
      this.#discard(producer, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting?.catch(() => undefined);
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect();
  }

  async #connect(): Promise<void> {
    for (let attempt = 1; this.#producer === undefined && !this.#closing.signal.aborted; attempt += 1) {
      const producer = this.#kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        // Never asked, since every message names its partition; named to say that Java's partitioning is meant.
        createPartitioner: Partitioners.DefaultPartitioner,
      });
      try {
        await producer.connect();
        this.#producer = producer;
      } catch (error) {
        await this.#disconnect(producer);
        const waitMs = backoffMs(attempt, RECONNECT, Math.random);
        this.#options.log.warn({ err: error, waitMs }, 'command producer could not connect; trying again');
        await sleep(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
  }

  #discard(producer: Producer, cause: unknown): void {
    if (this.#producer !== producer) return;
    this.#producer = undefined;
    this.#options.log.warn({ err: cause }, 'command producer failed; replacing it');
    void this.#disconnect(producer);
    if (!this.#closing.signal.aborted) void this.connect();
  }

  async #disconnect(producer: Producer): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.#options.log.debug({ err: error }, 'disconnecting a failed producer failed');
    }
  }
}
