import type { BinaryKey } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { Header } from '../../base/record-batch.ts';
import type { BufferPool } from '../../broker/buffer-pool.ts';
import { partitionForBytes } from '../../broker/partitioner.ts';
import { RecordBatchWriter } from '../../broker/record-batch-writer.ts';
import type { Record } from '../../processor/record.ts';
import { chosenPartitions } from './chosen-partitions.ts';
import {
  type ChangelogOutput,
  type OutputSerdes,
  type OutputTopic,
  unpartitionedSuffixBytes,
} from './record-collector.ts';

/** Records waiting for the partition count of a topic chosen at run time; more means the topic isn't there. */
const PARKED_RECORDS_MAX = 10_000;

/** What outputs need of whoever sends their batches. */
export interface OutputHost {
  /** Where records are counted that go to no partition. */
  readonly config: StreamsConfig;
  /** Dates records without a timestamp. */
  readonly clock: Clock;
  /** Memory of the batches. */
  readonly pool: BufferPool;
  /** Before the first record of a writer's batch. */
  opened(writer: RecordBatchWriter): void;
  /** A writer is full: sends everything gathered so far. */
  send(): void;
  /** Calls `begin` once it is known how many partitions the output's topic has. */
  lookUp(output: BatchingOutput): void;
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

/** The changelog partition of one store; through the same writer as sinks of that topic, so that their order is kept. */
export class BatchingChangelog implements ChangelogOutput {
  readonly #writer: RecordBatchWriter;
  readonly #host: OutputHost;

  constructor(writer: RecordBatchWriter, host: OutputHost) {
    this.#writer = writer;
    this.#host = host;
  }

  append(key: BinaryKey, value: Buffer | null, timestampMs: number | null, headers?: readonly Header[]): void {
    const writer = this.#writer;
    const timeMs = timestampMs ?? this.#host.clock.nowMs();
    if (writer.count > 0) {
      if (writer.appendKeyed(timeMs, key, value, headers)) return;
      this.#host.send();
    }
    writer.appendKeyed(timeMs, key, value, headers);
    this.#host.opened(writer);
  }
}

/**
 * One topic's writers and the choice between its partitions.
 *
 * Owns: a writer a partition, records that wait until it is known how many there are. Called by: sinks, {@link BatchingCollector}.
 * Invariants: I1 order per partition is the order of the calls, waiting records included.
 */
export class BatchingOutput implements OutputTopic {
  /** Full name. */
  readonly topic: string;
  readonly #host: OutputHost;
  readonly #writers: (RecordBatchWriter | undefined)[] = [];
  /** Undefined until the look-up has answered. */
  #partitionCount: number | undefined;
  #parked: Parked[] | undefined;
  /** Records without a key stay with one partition until its batch is sent, as Kafka's default partitioner does. */
  #sticky = 0;
  #lastSink: OutputSerdes | undefined;
  #suffixBytes = 0;

  /** `partitionCount` undefined: the host looks it up, and records wait meanwhile. */
  constructor(topic: string, partitionCount: number | undefined, host: OutputHost) {
    this.topic = topic;
    this.#partitionCount = partitionCount;
    this.#host = host;
  }

  /** The writer of one partition, made on first use. */
  writer(partition: number): RecordBatchWriter {
    let writer = this.#writers[partition];
    if (writer === undefined) {
      writer = new RecordBatchWriter(this.topic, partition, this.#host.pool);
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
      this.#suffixBytes = unpartitionedSuffixBytes(sink);
    }
    if (!keyDatum.isNull) keyDatum.encode(sink.keySerde, topic);
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
    const headers = record.headerEntries();
    const key = keyDatum.isNull ? null : keyDatum.buffer;
    const writer = this.writer(partition);
    const { valueSerde } = sink;
    const passes = valueDatum.mayPass(valueSerde, topic);
    const object = passes ? null : valueDatum.get();
    if (passes || object === null || valueSerde.serializeInto === undefined) {
      let { start, end } = valueDatum;
      let value: Buffer | null = null;
      if (passes) value = valueDatum.buffer;
      else if (object !== null) {
        // Not kept with the record: whoever made the object may change it and forward it again.
        value = valueSerde.serialize(object, topic);
        start = 0;
        end = value.length;
      }
      if (writer.count > 0) {
        if (writer.append(timestamp, key, keyDatum.start, keyDatum.end, value, start, end, headers)) return;
        this.#host.send();
      }
      writer.append(timestamp, key, keyDatum.start, keyDatum.end, value, start, end, headers);
      this.#host.opened(writer);
      return;
    }
    if (writer.count > 0) {
      if (writer.appendSerialized(timestamp, key, keyDatum.start, keyDatum.end, object, valueSerde, headers)) return;
      this.#host.send();
    }
    writer.appendSerialized(timestamp, key, keyDatum.start, keyDatum.end, object, valueSerde, headers);
    this.#host.opened(writer);
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
      this.#host.send();
    }
    writer.append(timestampMs, key, 0, keyEnd, value, 0, valueEnd, headers);
    this.#host.opened(writer);
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
      this.#host.config.metrics.count('dropped-records-total', { topic: this.topic, reason: 'no-partition' }, 1);
    }
  }

  #rawOf(record: Record<unknown, unknown>, sink: OutputSerdes): RawRecord {
    const { keyDatum, valueDatum, timestamp } = record;
    return {
      key: keyDatum.copyBytes(sink.keySerde, this.topic),
      value: valueDatum.passBytes(sink.valueSerde, this.topic),
      timestampMs: timestamp,
      headers: [...(record.headerEntries() ?? [])],
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
    const suffixBytes = unpartitionedSuffixBytes(sink);
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
      this.#host.lookUp(this);
    }
    if (this.#parked.length >= PARKED_RECORDS_MAX) {
      throw new StreamsError(`Topic '${this.topic}' was chosen by a record and is still unknown to the broker`, {
        code: 'PRODUCTION',
        recovery: 'fail',
      });
    }
    this.#parked.push(parked);
  }
}
