import { bytesOf } from '../../base/bytes.ts';
import { encodeHeaders } from '../../base/headers-codec.ts';
import type { Header, RecordBatch } from '../../base/record-batch.ts';
import type { Record } from '../../processor/record.ts';
import { chosenPartitions } from '../../runtime/output/chosen-partitions.ts';
import type {
  ChangelogOutput,
  OutputSerdes,
  OutputTopic,
  RecordCollector,
} from '../../runtime/output/record-collector.ts';

/** A record as it would lie in a topic. */
export interface CapturedRecord {
  /** Topic that it was written to or is piped into. */
  readonly topic: string;
  /** 0, but for changelogs: the task's. */
  readonly partition: number;
  /** The serialized key; null where there is none. */
  readonly key: Buffer | null;
  /** The serialized value; null for a tombstone. */
  readonly value: Buffer | null;
  /** Timestamp of the record, epoch ms. */
  readonly timestampMs: number;
  /** Headers in order. */
  readonly headers: readonly Header[];
}

/** A record of a changelog as a task gave it to the producer; a null timestamp would have become its wall clock. */
export interface CapturedChange extends Omit<CapturedRecord, 'timestampMs'> {
  /** Epoch ms; null: the producer would have set its wall clock. */
  readonly timestampMs: number | null;
}

/**
 * Takes what tasks write, topic by topic, in order: the test driver's producer. Every topic has one partition.
 *
 * Owns: the captured records. Called by: sinks, stores, dead letters; read by the driver.
 */
export class CapturingCollector implements RecordCollector {
  readonly changelogs = new Map<string, CapturedChange[]>();
  /** What was sent since the driver last looked. */
  sent: CapturedRecord[] = [];
  readonly #outputs = new Map<string, CapturingOutput>();

  output(topic: string): OutputTopic {
    let output = this.#outputs.get(topic);
    if (output === undefined) {
      output = new CapturingOutput(topic, (record) => this.sent.push(record));
      this.#outputs.set(topic, output);
    }
    return output;
  }

  changelog(topic: string, partition: number): ChangelogOutput {
    let records = this.changelogs.get(topic);
    if (records === undefined) {
      records = [];
      this.changelogs.set(topic, records);
    }
    const log = records;
    return {
      append: (key, value, timestampMs, headers = []) => {
        const bytes = value === null ? null : Buffer.copyBytesFrom(value);
        log.push({ topic, partition, key: bytesOf(key), value: bytes, timestampMs, headers });
      },
    };
  }
}

class CapturingOutput implements OutputTopic {
  readonly topic: string;
  readonly #push: (record: CapturedRecord) => void;

  constructor(topic: string, push: (record: CapturedRecord) => void) {
    this.topic = topic;
    this.#push = push;
  }

  send(record: Record<unknown, unknown>, sink: OutputSerdes): void {
    const { keyDatum, valueDatum } = record;
    if (sink.partitioner !== undefined) {
      const chosen = chosenPartitions(sink.partitioner, this.topic, record.key, record.value, 1);
      if (typeof chosen === 'object' && chosen.length === 0) return;
    }
    this.#push({
      topic: this.topic,
      partition: 0,
      key: keyDatum.copyBytes(sink.keySerde, this.topic),
      value: valueDatum.passBytes(sink.valueSerde, this.topic),
      timestampMs: record.timestamp,
      headers: [...(record.headerEntries() ?? [])],
    });
  }

  sendRaw(key: Buffer | null, value: Buffer | null, timestampMs: number, headers: readonly Header[]): void {
    this.#push({ topic: this.topic, partition: 0, key, value, timestampMs, headers });
  }
}

/** A batch of one row that owns its bytes. */
export function singleRecordBatch(record: CapturedRecord, offset: number): RecordBatch {
  const headers = record.headers.length === 0 ? undefined : encodeHeaders(record.headers);
  const chunks = [record.key, record.value, headers].filter((chunk) => chunk !== null && chunk !== undefined);
  const keyEnd = record.key?.length ?? 0;
  const valueEnd = keyEnd + (record.value?.length ?? 0);
  return {
    topic: record.topic,
    partition: record.partition,
    count: 1,
    buffer: Buffer.concat(chunks),
    offsets: Float64Array.of(offset),
    timestamps: Float64Array.of(record.timestampMs),
    keyStarts: Int32Array.of(record.key === null ? -1 : 0),
    keyEnds: Int32Array.of(keyEnd),
    valueStarts: Int32Array.of(record.value === null ? -1 : keyEnd),
    valueEnds: Int32Array.of(valueEnd),
    headerStarts: Int32Array.of(headers === undefined ? -1 : valueEnd),
    headerEnds: Int32Array.of(headers === undefined ? -1 : valueEnd + headers.length),
    release() {},
  };
}
