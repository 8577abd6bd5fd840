import { type BackoffBounds, backoffMs } from '../base/backoff.ts';
import { type Clock, sleep, systemClock } from '../base/clock.ts';
import { DeserializationError, StreamsError } from '../base/errors.ts';
import { decodeHeaders } from '../base/headers-codec.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { type Header, type RecordBatch, type TopicPartition, topicPartitionKey } from '../base/record-batch.ts';
import type { Broker, BrokerConsumer, FetchedPartition } from '../broker/broker.ts';
import { isOutOfRange } from '../runtime/errors.ts';
import type { Serde } from '../serde/serde.ts';

/** Longest wait of one poll; only a bound for noticing `close`. */
const POLL_MS = 1_000;
/** Waits before a failed poll or schema look-up is tried again. */
const RETRY_BACKOFF: BackoffBounds = { minMs: 100, maxMs: 10_000 };

/** A decoded record of a topic. */
export interface TopicRecord<K, V> {
  /** Null where the record has none. */
  readonly key: K | null;
  /** Null for a tombstone. */
  readonly value: V | null;
  /** Epoch ms. */
  readonly timestamp: number;
  /** The offset counts in this partition, and only its records come in order. */
  readonly partition: number;
  /** Its place in the partition. */
  readonly offset: number;
  /** In the order in which the producer gave them; empty where there are none. */
  readonly headers: readonly Header[];
}

/** What a {@link TopicReader} reads, from where, and who gets it. */
export interface TopicReaderOptions<K, V> {
  /** The cluster, see {@link connectBroker}; the reader doesn't close it. */
  readonly broker: Broker;
  /** Name by which the broker's logs and quotas know the reader. Default: `reader-<topic>`. */
  readonly clientId?: string;
  /** The topic; all its partitions are read. */
  readonly topic: string;
  /** Reads the keys. */
  readonly key: Serde<K>;
  /** Reads the values. */
  readonly value: Serde<V>;
  /**
   * Where to begin in each partition: `latest` with the next record that is produced, `earliest` with the oldest that
   * there is, a time with the first record at or after it. Default: `latest`.
   */
  readonly from?:
    | 'latest'
    | 'earliest'
    | {
        /** Epoch ms; `latest` in partitions without a record at or after it. */
        readonly timestampMs: number;
      };
  /**
   * Gets the records of one partition in log order. A promise is awaited before more are read (backpressure). What it
   * throws goes to `onError`, and the records are not given again.
   */
  readonly onRecords: (records: readonly TopicRecord<K, V>[]) => void | Promise<void>;
  /**
   * Is told of a record that can't be decoded (it is left out), a position that is gone (reading goes on with the
   * oldest record) and a broker out of reach (it is tried again).
   */
  readonly onError?: (
    error: Error,
    at: TopicPartition & {
      /** Offset of the record or position, -1 where the error is about no record. */
      readonly offset: number;
    },
  ) => void;
  /** Measures the waits between attempts. Default: the system's clock. */
  readonly clock?: Clock;
  /** Spreads the waits between attempts. Default: the system's random numbers. */
  readonly random?: Random;
}

/** A call of {@link TopicReader.caughtUp}. */
interface Waiting {
  readonly ends: ReadonlyMap<string, number>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads all partitions of a topic without a group: every reader sees every record from where it began. For replies,
 * live feeds and caches that can be rebuilt; nothing is committed.
 *
 * Owns: one consumer and its loop. Called by: API instances, tests.
 * Invariants: I1 `onRecords` is never called while an earlier call is pending, nor after `close` resolved; I2 per
 * partition records come in log order, each once.
 *
 * @example
 * ```ts
 * const broker = await connectBroker({ bootstrapServers: ['localhost:9092'], clientId: 'dashboard' });
 * const reader = await TopicReader.open<string, number>({
 *   broker,
 *   topic: 'line-counts',
 *   key: string(),
 *   value: long(),
 *   from: 'earliest',
 *   onRecords: (records) => {
 *     for (const { key, value } of records) console.log(key, value);
 *   },
 * });
 * await reader.caughtUp(); // everything that was in the topic has been handed over
 * await reader.close();
 * await broker.close();
 * ```
 */
export class TopicReader<K, V> {
  readonly #options: TopicReaderOptions<K, V>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #consumer: BrokerConsumer;
  /** Failed fetches of a partition since its last batch. */
  readonly #failures = new Map<string, number>();
  /** Offset of the next record to hand over, per partition. */
  readonly #next = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #isClosing = false;
  #loop: Promise<void> | undefined;

  private constructor(options: TopicReaderOptions<K, V>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#consumer = options.broker.consumer({ clientId: options.clientId ?? `reader-${options.topic}` });
  }

  /**
   * Resolves when the start positions are fixed: with `from: 'latest'` every record produced afterwards will be seen. Rejects with
   * MISSING_SOURCE_TOPIC when there is no such topic.
   */
  static async open<K, V>(options: TopicReaderOptions<K, V>): Promise<TopicReader<K, V>> {
    const reader = new TopicReader(options);
    try {
      await reader.#begin();
    } catch (error) {
      await reader.#consumer.close();
      throw error;
    }
    reader.#loop = reader.#run();
    return reader;
  }

  /** Records on the broker that were not handed over yet; undefined while a partition hasn't answered. */
  get lag(): number | undefined {
    let lag = 0;
    for (const each of this.#consumer.assignment()) {
      const end = this.#consumer.knownEndOffset(each);
      if (end === undefined) return undefined;
      lag += Math.max(0, end - (this.#next.get(topicPartitionKey(each.topic, each.partition)) ?? 0));
    }
    return lag;
  }

  /**
   * Resolves when every record that is on the broker at this moment was handed over: proof that the reader reads. Rejects when the
   * broker can't say what is there, and when the reader is closed before.
   */
  async caughtUp(): Promise<void> {
    const ends = await this.#options.broker.admin().endOffsets(this.#consumer.assignment());
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add({ ends, resolve, reject });
      this.#wakeWaiting();
    });
  }

  /**
   * Reads no more, waits for a pending `onRecords`, and closes the consumer. Calls of `caughtUp` that still wait reject
   * with `CANCELLED`.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wakeWaiting();
    this.#consumer.wakeup();
    await this.#loop;
    await this.#consumer.close();
  }

  async #begin(): Promise<void> {
    const { broker, topic, from = 'latest' } = this.#options;
    const admin = broker.admin();
    const count = (await admin.partitionCounts([topic])).get(topic);
    if (count === undefined) {
      throw new StreamsError(`Topic '${topic}' does not exist`, { code: 'MISSING_SOURCE_TOPIC', recovery: 'fail' });
    }
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    let positions: ReadonlyMap<string, number>;
    if (from === 'earliest') positions = await admin.beginningOffsets(partitions);
    else {
      const ends = await admin.endOffsets(partitions);
      positions = ends;
      if (typeof from === 'object') {
        const { timestampMs } = from;
        const found = await admin.offsetsForTimes(partitions.map((each) => ({ ...each, timestampMs })));
        positions = new Map([...ends].map(([key, end]) => [key, found.get(key) ?? end]));
      }
    }
    for (const each of partitions) {
      const key = topicPartitionKey(topic, each.partition);
      this.#next.set(key, positions.get(key) ?? 0);
    }
    this.#consumer.assign(
      partitions.map((each) => ({ ...each, offset: this.#next.get(topicPartitionKey(topic, each.partition)) ?? 0 })),
    );
  }

  /** Never rejects: what fails is told and tried again with backoff until the reader is closed. */
  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosing) {
      try {
        const fetched = await this.#consumer.poll(POLL_MS);
        failures = 0;
        for (const each of fetched) await this.#deliver(each);
      } catch (error) {
        failures += 1;
        this.#tell(error, { topic: this.#options.topic, partition: -1, offset: -1 });
        await this.#backOff(failures);
      }
    }
  }

  async #deliver({ topic, partition, batches, nextOffset, error }: FetchedPartition): Promise<void> {
    if (error !== undefined) {
      // Other partitions go on meanwhile.
      void this.#recover({ topic, partition }, nextOffset, error);
      return;
    }
    const key = topicPartitionKey(topic, partition);
    if (batches.length > 0) this.#failures.delete(key);
    for (const batch of batches) {
      const records = this.#isClosing ? [] : await this.#decode(batch);
      batch.release();
      if (records.length === 0) continue;
      try {
        await this.#options.onRecords(records);
      } catch (failure) {
        this.#tell(failure, { topic, partition, offset: records[0]?.offset ?? -1 });
      }
    }
    this.#next.set(key, nextOffset);
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const waiting of this.#waiting) {
      const isReached = [...waiting.ends].every(([key, end]) => (this.#next.get(key) ?? 0) >= end);
      if (!isReached && !this.#isClosing) continue;
      this.#waiting.delete(waiting);
      if (isReached) waiting.resolve();
      else waiting.reject(new StreamsError('The reader is closed', { code: 'CANCELLED', recovery: 'fail' }));
    }
  }

  /**
   * Goes on after a failed fetch: with the oldest record there is when retention passed the reader, otherwise where it was. Never
   * rejects; waits longer each time.
   */
  async #recover(partition: TopicPartition, offset: number, failure: Error): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition);
    this.#tell(failure, { ...partition, offset });
    for (;;) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      await this.#backOff(failures);
      if (this.#isClosing) return;
      try {
        let next = offset;
        if (isOutOfRange(failure)) {
          next = (await this.#options.broker.admin().beginningOffsets([partition])).get(key) ?? 0;
        }
        if (this.#isClosing) return;
        this.#next.set(key, next);
        this.#consumer.seek(partition, next);
        return;
      } catch (error) {
        this.#tell(error, { ...partition, offset });
      }
    }
  }

  async #decode(batch: RecordBatch): Promise<readonly TopicRecord<K, V>[]> {
    const { topic, partition, count } = batch;
    await this.#prepare(batch);
    const records: TopicRecord<K, V>[] = [];
    for (let row = 0; row < count; row += 1) {
      const offset = batch.offsets[row] as number;
      try {
        records.push({
          key: decodeSlice(this.#options.key, batch, batch.keyStarts[row] as number, batch.keyEnds[row] as number),
          value: decodeSlice(
            this.#options.value,
            batch,
            batch.valueStarts[row] as number,
            batch.valueEnds[row] as number,
          ),
          timestamp: batch.timestamps[row] as number,
          partition,
          offset,
          headers: decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number),
        });
      } catch (error) {
        this.#tell(error, { topic, partition, offset });
      }
    }
    return records;
  }

  /** Waits for writer schemas, however long the registry is away. */
  async #prepare(batch: RecordBatch): Promise<void> {
    const { key, value } = this.#options;
    for (let failures = 1; !this.#isClosing; failures += 1) {
      try {
        await key.prepare?.(batch, 'key');
        await value.prepare?.(batch, 'value');
        return;
      } catch (error) {
        this.#tell(error, { topic: batch.topic, partition: batch.partition, offset: batch.offsets[0] ?? -1 });
        await this.#backOff(failures);
      }
    }
  }

  #backOff(failures: number): Promise<void> {
    return sleep(this.#clock, backoffMs(failures, RETRY_BACKOFF, this.#random));
  }

  #tell(thrown: unknown, at: TopicPartition & { readonly offset: number }): void {
    const error = thrown instanceof Error ? thrown : new DeserializationError(String(thrown));
    this.#options.onError?.(error, at);
  }
}

function decodeSlice<T>(serde: Serde<T>, batch: RecordBatch, start: number, end: number): T | null {
  return start < 0 ? null : serde.deserialize(batch.buffer, start, end, batch.topic);
}
