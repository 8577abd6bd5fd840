import type { AutoOffsetReset } from '../base/config.ts';
import type { StreamPartitioner, TimestampExtractor } from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { Printing } from './processors/stream/print-processor.ts';

/** Names a node; without it Kafka Streams' generated name is used. Names of stores and topics should be given: they outlive the program. */
export interface NamedOptions {
  readonly name?: string | undefined;
}

/**
 * A serde that can write every `V`. Sinks and internal topics need no more: what they read back is what they wrote. So
 * `string()` serves a stream of `'red' | 'green' | null`, too (null never reaches a serde).
 */
export interface WritingSerde<V> {
  readonly format: string;
  readonly serialize: (value: NonNullable<V>, topic: string) => Buffer;
}

/** What is read back was written by this program, so a serde that can write every `K` reads nothing else. @internal */
export function readingBack<K>(serde: WritingSerde<K> | undefined): Serde<K> | undefined {
  return serde as Serde<K> | undefined;
}

/** How a topic is read (Java's `Consumed`). */
export interface ConsumedOptions<K, V> extends NamedOptions {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /** Where to begin without a committed offset; default: the application's `autoOffsetReset`. */
  readonly autoOffsetReset?: AutoOffsetReset | undefined;
}

/** How a topic is written (Java's `Produced`). Serdes are inherited where key or value are still those of the source. */
export interface ProducedOptions<K, V> extends NamedOptions {
  readonly key?: WritingSerde<K> | undefined;
  readonly value?: WritingSerde<V> | undefined;
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/** How records are grouped (Java's `Grouped`); the name becomes that of the repartition topic. */
export interface GroupedOptions<K, V> extends NamedOptions {
  readonly key?: WritingSerde<K> | undefined;
  readonly value?: WritingSerde<V> | undefined;
}

/** How a table is kept (Java's `Materialized`). */
export interface MaterializedOptions<K, V> {
  /** Name of the store, for interactive queries; the changelog is `<applicationId>-<name>-changelog`. */
  readonly name?: string | undefined;
  /** Default: `persistent`, as in Kafka Streams. `memory` is faster and restores its whole changelog at each start. */
  readonly store?: 'memory' | 'persistent' | undefined;
  readonly key?: WritingSerde<K> | undefined;
  readonly value?: Serde<V> | undefined;
  /** Default: true. Without a changelog the state is lost when a task moves. */
  readonly loggingEnabled?: boolean | undefined;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig?: Readonly<Record<string, string>> | undefined;
  readonly cachingEnabled?: boolean | undefined;
  /** Window stores: how long windows are kept, ms; default size + grace. */
  readonly retentionMs?: number | undefined;
  /**
   * Makes the table a versioned one: it knows what each key held at any time of the last so many ms of stream time, takes late values
   * where they belong in time, and joins by event time. Not for windowed and global tables.
   */
  readonly historyRetentionMs?: number | undefined;
}

/** Options of operations that keep a table. */
export interface TableOptions<K, V> extends NamedOptions {
  readonly materialized?: MaterializedOptions<K, V> | undefined;
}

/** Options of `aggregate`, whose result type needs a serde. */
export interface AggregateOptions<K, A> extends TableOptions<K, A> {
  readonly value?: Serde<A> | undefined;
}

/** Options of joins (Java's `Joined`). `key` and `value` are the stream's, for a repartition topic. */
export interface JoinedOptions<K, V> extends NamedOptions {
  readonly key?: WritingSerde<K> | undefined;
  readonly value?: WritingSerde<V> | undefined;
  /**
   * Joins with a versioned table: how long a record waits for the table to catch up, ms of the stream's time; at most as long as the
   * table keeps its history. The waiting records are kept in the store `<name>-Buffer`.
   */
  readonly graceMs?: number | undefined;
  /** Where waiting records are kept; default: `persistent`, as in Kafka Streams. */
  readonly store?: 'memory' | 'persistent' | undefined;
}

/** Options of `repartition` (Java's `Repartitioned`); the topic is `<applicationId>-<name>-repartition`. */
export interface RepartitionedOptions<K, V> extends ProducedOptions<K, V> {
  /** Default: as many as upstream has. */
  readonly partitions?: number | undefined;
}

/** What `print` writes, and where (Java's `Printed`). */
export interface PrintedOptions<K, V> extends NamedOptions, Printing<K, V> {
  /** In front of each line; default: the name of the node above. */
  readonly label?: string | undefined;
}

/** Options of `process` and `processValues`. */
export interface ProcessOptions extends NamedOptions {
  /** Stores to connect that were added by `StreamsBuilder.addStateStore`. */
  readonly stores?: readonly string[] | undefined;
}

/** Options of `transformValues` of a table. */
export interface TransformValuesOptions<K, V> extends TableOptions<K, V> {
  /** Stores to connect that were added by `StreamsBuilder.addStateStore`. */
  readonly stores?: readonly string[] | undefined;
}
