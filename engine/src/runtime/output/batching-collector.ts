import type { BinaryKey } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import { type Header, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerProducer, EncodedBatch, ProduceResult } from '../../broker/broker.ts';
import { BufferPool } from '../../broker/buffer-pool.ts';
import { partitionForBytes } from '../../broker/partitioner.ts';
import { RecordBatchWriter } from '../../broker/record-batch-writer.ts';
import type { Record } from '../../processor/record.ts';
import { asError } from '../errors.ts';
import { chosenPartitions } from './chosen-partitions.ts';
import {
  type ChangelogOutput,
  type OutputSerdes,
  type OutputTopic,
  type RecordCollector,
  unpartitionedSuffixBytes,
} from './record-collector.ts';

/**
 * Unacknowledged bytes above which tasks take no more records: several full requests a broker, so that five in flight stay
 * busy, and little enough that a slow broker doesn't fill the memory.
 */
const inFlightBytesMax = 32 * 1024 * 1024;
/** Records waiting for the partition count of a topic chosen at run time; more means the topic isn't there. */
const parkedRecordsMax = 10_000;

export interface BatchingCollectorOptions {
  readonly producer: BrokerProducer;
  readonly config: StreamsConfig;
  /** Partition counts known at start: static sinks, changelogs, repartition topics. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** For topics chosen at run time. Rejects when there is no such topic. */
  readonly lookUpPartitionCount: (topic: string) => Promise<number>;
  /** An acknowledgement or an error arrived. */
  readonly wake: () => void;
}

interface RawRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: readonly Header[];
}

interface Parked extends RawRecord {
  /** Which partitions it goes to, once it is known how many there are. */
  readonly partitionOf: (partitionCount: number) => number | readonly number[];
}

/**
 * Gathers the output of a thread's tasks into one batch a partition and sends outputs and changelogs of all of them in one
 * Produce a broker.
 *
 * Owns: batch writers, what is in flight, acknowledged ends of partitions. Called by: sinks, stores, StreamThread.
 * Invariants: I1 order per partition is the order of the calls; I2 `flush` resolves only after everything appended before it was
 * acknowledged, and rejects if any of it was lost; I3 a failure stays until the collector is thrown away.
 */
export class BatchingCollector implements RecordCollector {
  readonly config: StreamsConfig;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly #options: BatchingCollectorOptions;
  readonly #outputs = new Map<string, BatchingOutput>();
  readonly #ackedEnds = new Map<string, number>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #lookUps = new Set<Promise<void>>();
  #open: RecordBatchWriter[] = [];
  #openSinceMs = 0;
  #inFlightBytes = 0;
  #failure: Error | undefined;

  constructor(options: BatchingCollectorOptions) {
    this.#options = options;
    this.config = options.config;
    this.clock = options.config.clock;
    this.pool = new BufferPool(options.config.batchSizeBytes);
  }

  output(topic: string): OutputTopic {
    let output = this.#outputs.get(topic);
    if (output === undefined) {
      output = new BatchingOutput(topic, this.#options.partitionCounts.get(topic), this);
      this.#outputs.set(topic, output);
    }
    return output;
  }

  changelog(topic: string, partition: number): ChangelogOutput {
    // Through the same writers as sinks: a changelog that is also written by a sink keeps its order.
    return new BatchingChangelog((this.output(topic) as BatchingOutput).writer(partition), this);
  }

  /** First offset after the last acknowledged record of a partition; undefined when nothing was written. */
  readonly ackedEnd = (topic: string, partition: number): number | undefined => {
    return this.#ackedEnds.get(topicPartitionKey(topic, partition));
  };

  /** True while no more records should be processed: too much is unacknowledged. */
  get saturated(): boolean {
    return this.#inFlightBytes >= inFlightBytesMax;
  }

  get hasUnsent(): boolean {
    return this.#open.length > 0;
  }

  /** Throws what was lost, once known. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Before the first record of a writer's batch. */
  opened(writer: RecordBatchWriter): void {
    if (this.#open.length === 0) this.#openSinceMs = this.clock.monotonicMs();
    this.#open.push(writer);
  }

  /**
   * Sends when nothing is in flight or linger has passed: alone, a record leaves at once; under load it waits for company
   * behind the requests before it.
   */
  sendIfDue(): void {
    if (this.#open.length === 0) return;
    if (this.#inFlight.size === 0 || this.clock.monotonicMs() - this.#openSinceMs >= this.config.lingerMs) this.send();
  }

  /** Sends everything gathered so far. */
  send(): void {
    const open = this.#open;
    if (open.length === 0) return;
    this.#open = [];
    const batches: EncodedBatch[] = [];
    let bytes = 0;
    for (const writer of open) {
      const batch = writer.finish(this.config.compressionType);
      bytes += batch.bytes.length;
      batches.push(batch);
    }
    this.#inFlightBytes += bytes;
    const done = this.#options.producer
      .produce(batches)
      .then((results) => this.#acknowledged(batches, results))
      .catch((error: unknown) => {
        // Also what a user's handler throws.
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#inFlightBytes -= bytes;
        this.#inFlight.delete(done);
        this.#options.wake();
      });
    this.#inFlight.add(done);
  }

  #acknowledged(batches: readonly EncodedBatch[], results: readonly ProduceResult[]): void {
    for (const [index, result] of results.entries()) {
      const batch =
        batches[index]?.topic === result.topic && batches[index]?.partition === result.partition
          ? batches[index]
          : batches.find(({ topic, partition }) => topic === result.topic && partition === result.partition);
      if (result.error !== undefined) this.#lost(result, result.lostRecords ?? batch?.recordCount ?? 0);
      else if (result.nextOffset >= 0) {
        this.#ackedEnds.set(topicPartitionKey(result.topic, result.partition), result.nextOffset);
      }
    }
  }

  #lost(result: ProduceResult, recordCount: number): void {
    const { error, partition, topic } = result;
    const where = { topic, partition, offset: -1, taskId: '', processorNodeId: '' };
    const retry = error instanceof StreamsError && error.recovery !== 'fail';
    if (!retry && this.config.productionExceptionHandler(where, error as Error) === 'continue') {
      this.config.log.warn({ err: error, topic, partition, recordCount }, 'Dropped records that could not be produced');
      this.config.metrics.count('dropped-records-total', { topic, reason: 'production-error' }, recordCount);
      return;
    }
    this.#failure ??= error;
  }

  /** Sends everything and waits for the acknowledgements. */
  async flush(): Promise<void> {
    while (this.#lookUps.size > 0) await Promise.all(this.#lookUps);
    this.send();
    await Promise.all(this.#inFlight);
    this.check();
  }

  /** Resolves the partition count of a topic that was not known at start. */
  lookUp(output: BatchingOutput): void {
    const done = this.#options
      .lookUpPartitionCount(output.topic)
      .then((count) => output.begin(count))
      .catch((error: unknown) => {
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#lookUps.delete(done);
        this.#options.wake();
      });
    this.#lookUps.add(done);
  }

  /** Throws away what was not sent. What is in flight is not waited for. */
  discard(): void {
    for (const writer of this.#open) writer.discard();
    this.#open = [];
  }
}

class BatchingChangelog implements ChangelogOutput {
  readonly #writer: RecordBatchWriter;
  readonly #collector: BatchingCollector;

  constructor(writer: RecordBatchWriter, collector: BatchingCollector) {
    this.#writer = writer;
    this.#collector = collector;
  }

  append(key: BinaryKey, value: Buffer | null, timestampMs: number | null, headers?: readonly Header[]): void {
    const writer = this.#writer;
    const timeMs = timestampMs ?? this.#collector.clock.nowMs();
    if (writer.count > 0) {
      if (writer.appendKeyed(timeMs, key, value, headers)) return;
      this.#collector.send();
    }
    writer.appendKeyed(timeMs, key, value, headers);
    this.#collector.opened(writer);
  }
}

/** One topic's writers and the choice between its partitions. */
class BatchingOutput implements OutputTopic {
  readonly topic: string;
  readonly #collector: BatchingCollector;
  readonly #writers: (RecordBatchWriter | undefined)[] = [];
  /** Undefined until the look-up has answered. */
  #partitionCount: number | undefined;
  #parked: Parked[] | undefined;
  /** Records without a key stay with one partition until its batch is sent, as Kafka's default partitioner does. */
  #sticky = 0;
  #lastSink: OutputSerdes | undefined;
  #suffixBytes = 0;

  constructor(topic: string, partitionCount: number | undefined, collector: BatchingCollector) {
    this.topic = topic;
    this.#partitionCount = partitionCount;
    this.#collector = collector;
  }

  writer(partition: number): RecordBatchWriter {
    let writer = this.#writers[partition];
    if (writer === undefined) {
      writer = new RecordBatchWriter(this.topic, partition, this.#collector.pool);
      this.#writers[partition] = writer;
    }
    return writer;
  }

  send(record: Record<unknown, unknown>, sink: OutputSerdes): void {
    const partitionCount = this.#partitionCount;
    if (partitionCount === undefined) {
      this.#parkRecord(record, sink);
      return;
    }
    const { topic } = this;
    const { keyDatum, valueDatum, timestamp } = record;
    if (sink !== this.#lastSink) {
      this.#lastSink = sink;
      this.#suffixBytes = unpartitionedSuffixBytes(sink.keySerde);
    }
    if (!keyDatum.isNull) keyDatum.encodeKey(sink.keySerde, topic);
    let partition: number | undefined;
    if (sink.partitioner !== undefined) {
      const chosen = chosenPartitions(sink.partitioner, topic, record.key, record.value, partitionCount);
      if (typeof chosen === 'object') {
        this.#appendToEach(chosen, this.#rawOf(record, sink));
        return;
      }
      partition = chosen;
    }
    if (partition === undefined) {
      partition = keyDatum.isNull
        ? this.#stickyPartition(partitionCount)
        : partitionForBytes(keyDatum.buffer, keyDatum.start, keyDatum.end - this.#suffixBytes, partitionCount);
    }
    const headers = record.hasHeaders ? record.headers.toArray() : undefined;
    const key = keyDatum.isNull ? null : keyDatum.buffer;
    const writer = this.writer(partition);
    const { valueSerde } = sink;
    if (valueDatum.isNull || valueSerde.serializeInto === undefined || valueDatum.hasBytesOf(valueSerde)) {
      let { start, end } = valueDatum;
      let value: Buffer | null = null;
      if (valueDatum.hasBytesOf(valueSerde)) value = valueDatum.buffer;
      else if (!valueDatum.isNull) {
        // Not kept with the record: whoever made the object may change it and forward it again.
        value = valueSerde.serialize(valueDatum.get(), topic);
        start = 0;
        end = value.length;
      }
      if (writer.count > 0) {
        if (writer.append(timestamp, key, keyDatum.start, keyDatum.end, value, start, end, headers)) return;
        this.#collector.send();
      }
      writer.append(timestamp, key, keyDatum.start, keyDatum.end, value, start, end, headers);
      this.#collector.opened(writer);
      return;
    }
    const value = valueDatum.get();
    if (writer.count > 0) {
      if (writer.appendSerialized(timestamp, key, keyDatum.start, keyDatum.end, value, valueSerde, headers)) return;
      this.#collector.send();
    }
    writer.appendSerialized(timestamp, key, keyDatum.start, keyDatum.end, value, valueSerde, headers);
    this.#collector.opened(writer);
  }

  sendRaw(key: Buffer | null, value: Buffer | null, timestampMs: number, headers: readonly Header[]): void {
    const partitionCount = this.#partitionCount;
    if (partitionCount === undefined) {
      this.#park({ key, value, timestampMs, headers, partitionOf: (count) => this.#partitionOf(key, 0, count) });
      return;
    }
    this.#append(key, value, timestampMs, headers, this.#partitionOf(key, 0, partitionCount));
  }

  /** The default partitioner's choice. */
  #partitionOf(key: Buffer | null, suffixBytes: number, partitionCount: number): number {
    if (key === null) return this.#stickyPartition(partitionCount);
    return partitionForBytes(key, 0, key.length - suffixBytes, partitionCount);
  }

  #append(
    key: Buffer | null,
    value: Buffer | null,
    timestampMs: number,
    headers: readonly Header[],
    partition: number,
  ): void {
    const writer = this.writer(partition);
    const keyEnd = key?.length ?? 0;
    const valueEnd = value?.length ?? 0;
    if (writer.count > 0) {
      if (writer.append(timestampMs, key, 0, keyEnd, value, 0, valueEnd, headers)) return;
      this.#collector.send();
    }
    writer.append(timestampMs, key, 0, keyEnd, value, 0, valueEnd, headers);
    this.#collector.opened(writer);
  }

  /** The look-up has answered: what waited goes out. */
  begin(partitionCount: number): void {
    this.#partitionCount = partitionCount;
    const parked = this.#parked ?? [];
    this.#parked = undefined;
    for (const record of parked) {
      const chosen = record.partitionOf(partitionCount);
      this.#appendToEach(typeof chosen === 'number' ? [chosen] : chosen, record);
    }
  }

  /** A record in several partitions, or in none. */
  #appendToEach(partitions: readonly number[], { key, value, timestampMs, headers }: RawRecord): void {
    for (const partition of partitions) this.#append(key, value, timestampMs, headers, partition);
    if (partitions.length === 0) {
      this.#collector.config.metrics.count('dropped-records-total', { topic: this.topic, reason: 'no-partition' }, 1);
    }
  }

  #rawOf(record: Record<unknown, unknown>, sink: OutputSerdes): RawRecord {
    const { keyDatum, valueDatum, timestamp } = record;
    return {
      key: keyDatum.isNull ? null : keyDatum.copyKeyBytes(sink.keySerde, this.topic),
      value: valueDatum.isNull ? null : valueDatum.copyBytes(sink.valueSerde, this.topic),
      timestampMs: timestamp,
      headers: record.hasHeaders ? [...record.headers] : [],
    };
  }

  #stickyPartition(partitionCount: number): number {
    const writer = this.#writers[this.#sticky];
    if (writer === undefined || writer.count === 0) this.#sticky = (this.#sticky + 1) % partitionCount;
    return this.#sticky;
  }

  #parkRecord(record: Record<unknown, unknown>, sink: OutputSerdes): void {
    const { topic } = this;
    const { partitioner } = sink;
    const raw = this.#rawOf(record, sink);
    const { key } = raw;
    const suffixBytes = unpartitionedSuffixBytes(sink.keySerde);
    let partitionOf = (count: number): number | readonly number[] => this.#partitionOf(key, suffixBytes, count);
    if (partitioner !== undefined) {
      const byDefault = partitionOf;
      const [keyObject, valueObject] = [record.key, record.value];
      partitionOf = (count) => {
        const chosen = chosenPartitions(partitioner, topic, keyObject, valueObject, count);
        return chosen === undefined ? byDefault(count) : chosen;
      };
    }
    this.#park({ ...raw, partitionOf });
  }

  #park(parked: Parked): void {
    if (this.#parked === undefined) {
      this.#parked = [];
      this.#collector.lookUp(this);
    }
    if (this.#parked.length >= parkedRecordsMax) {
      throw new StreamsError(`Topic '${this.topic}' was chosen by a record and is still unknown to the broker`, {
        code: 'PRODUCTION',
        recovery: 'fail',
      });
    }
    this.#parked.push(parked);
  }
}
