import type { BinaryKey } from '../../base/bytes.ts';
import type { Header } from '../../base/record-batch.ts';
import type { StreamPartitioner } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import type { Serde } from '../../serde/serde.ts';

/**
 * Where a task's records go: the producer's batches in the runtime, lists in the test driver. Sinks keep the outputs they
 * got, so that the hot path looks nothing up.
 */
export interface RecordCollector {
  /** Where records for a topic go. The same topic has the same output each time, so that sinks may keep it. */
  output(topic: string): OutputTopic;
  /** The changelog partition of a task's store. */
  changelog(topic: string, partition: number): ChangelogOutput;
}

/** One topic that a task writes to. */
export interface OutputTopic {
  /** Full name. */
  readonly topic: string;
  /** Appends the record; its bytes are copied before it returns. Throws SerializationError. */
  send(record: Record<unknown, unknown>, sink: OutputSerdes): void;
  /** Appends bytes (dead letter queue); the default partitioner chooses. */
  sendRaw(key: Buffer | null, value: Buffer | null, timestampMs: number, headers: readonly Header[]): void;
}

/** How a sink writes its records. */
export interface OutputSerdes {
  /** Writes keys. */
  readonly keySerde: Serde<unknown>;
  /** Writes values. */
  readonly valueSerde: Serde<unknown>;
  /** Chooses partitions; undefined: the hash of the key's bytes, as Kafka's default partitioner. */
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
  /** Whether windowed keys go where their inner key goes. */
  readonly partitionsByInnerKey: boolean;
}

/** The changelog partition of one store. */
export interface ChangelogOutput {
  /** A null timestamp is the producer's wall clock. */
  append(key: BinaryKey, value: Buffer | null, timestampMs: number | null, headers?: readonly Header[]): void;
}

const TIME_WINDOWED_PREFIX = 'time-windowed(';
const SESSION_WINDOWED_PREFIX = 'session-windowed(';

/**
 * Bytes at the end of a serialized key that don't take part in the default partitioning of a sink: where it says so, windowed keys go
 * where their inner key goes, as with Kafka Streams' `WindowedStreamPartitioner`.
 */
export function unpartitionedSuffixBytes({ keySerde, partitioner, partitionsByInnerKey }: OutputSerdes): number {
  if (!partitionsByInnerKey || partitioner !== undefined) return 0;
  if (keySerde.format.startsWith(TIME_WINDOWED_PREFIX)) return 8;
  return keySerde.format.startsWith(SESSION_WINDOWED_PREFIX) ? 16 : 0;
}
