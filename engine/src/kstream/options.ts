import type { AutoOffsetReset } from '../base/config.ts';
import type { StreamPartitioner, TimestampExtractor } from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { Printing } from './processors/stream/print-processor.ts';

/**
 * Options of every operation: its name. Names of stores and topics should be given, since they outlive the program:
 * generated ones change when an operation is added before them.
 */
export interface NamedOptions {
  /**
   * Names the node (Java's `Named`). Default: the name that Kafka Streams generates, such as
   * `KSTREAM-FILTER-0000000001`.
   */
  readonly name?: string | undefined;
}

/**
 * A serde that can write every `V`. Sinks and internal topics need no more: what they read back is what they wrote. So
 * `string()` serves a stream of `'red' | 'green' | null`, too (null never reaches a serde).
 */
export interface WritingSerde<V> {
  /** Which format it writes; serdes of the same format write the same bytes. */
  readonly format: string;
  /** The bytes of a value. `topic` is the one that they are for. Throws `SERIALIZATION`. */
  readonly serialize: (value: NonNullable<V>, topic: string) => Buffer;
}

/** What is read back was written by this program, so a serde that can write every `K` reads nothing else. @internal */
export function readingBack<K>(serde: WritingSerde<K> | undefined): Serde<K> | undefined {
  return serde as Serde<K> | undefined;
}

/** How a topic is read (Java's `Consumed`). */
export interface ConsumedOptions<K, V> extends NamedOptions {
  /** Serde of the topic's keys. Records without a key are read with a key of null. */
  readonly key: Serde<K>;
  /** Serde of the topic's values. Tombstones are read with a value of null. */
  readonly value: Serde<V>;
  /** Finds each record's event time. Default: `failOnInvalidTimestamp`, the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /**
   * Where to begin without a valid position. Default: the application's `autoOffsetReset`. Sources of one topic must
   * agree. Tables that are read again from their topic (`reuse.ktable.source.topics`, global tables) begin at its
   * beginning in any case.
   */
  readonly autoOffsetReset?: AutoOffsetReset | undefined;
}

/** How a topic is written (Java's `Produced`). Serdes are inherited where key or value are still those of the source. */
export interface ProducedOptions<K, V> extends NamedOptions {
  /** Serde of the keys. Default: the stream's, where it is known; else required. */
  readonly key?: WritingSerde<K> | undefined;
  /** Serde of the values. Default: the stream's, where it is known; else required. */
  readonly value?: WritingSerde<V> | undefined;
  /**
   * Chooses the partition of each record. Default: murmur2 of the key's bytes, as Java's producers do; of windowed keys
   * without the window.
   */
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/** How records are grouped (Java's `Grouped`); the name becomes that of the repartition topic. */
export interface GroupedOptions<K, V> extends NamedOptions {
  /**
   * Serde of the new keys, for the repartition topic and the store. Default: the stream's, where it is known; else
   * required.
   */
  readonly key?: WritingSerde<K> | undefined;
  /**
   * Serde of the values, for the repartition topic. Default: the stream's, where it is known; else required where one
   * is made.
   */
  readonly value?: WritingSerde<V> | undefined;
}

/** How a table is kept (Java's `Materialized`). */
export interface MaterializedOptions<K, V> {
  /**
   * Name of the store, for interactive queries and processors; the changelog is `<applicationId>-<name>-changelog`.
   * Default: a generated name that can't be queried, and no store where none is needed.
   */
  readonly name?: string | undefined;
  /**
   * Where entries are kept. `persistent` (the default, as in Kafka Streams): on disk in `stateDir`, and still there
   * after a restart; `memory`: faster, and restored from the whole changelog at each start.
   */
  readonly store?: 'memory' | 'persistent' | undefined;
  /** Serde of the keys in store and changelog. Default: the operation's. */
  readonly key?: WritingSerde<K> | undefined;
  /**
   * Serde of the values in store and changelog. Default: the operation's, where it is known; `aggregate` and
   * materialised `mapValues` and joins need it.
   */
  readonly value?: Serde<V> | undefined;
  /**
   * Whether changes go to a changelog topic. Default: true. Without one the state is lost when a task moves or its disk
   * is gone.
   */
  readonly loggingEnabled?: boolean | undefined;
  /**
   * Overrides of the changelog topic's configuration, such as `{ 'min.insync.replicas': '2' }`. Used when the topic is
   * created.
   */
  readonly loggingConfig?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether updates of a key between two commits are gathered into one, as far as `statestoreCacheMaxBytes` allows.
   * Default: true.
   */
  readonly cachingEnabled?: boolean | undefined;
  /**
   * Window and session stores: how long windows are kept after stream time has passed their start, in ms. Default and
   * least: what the windows need, such as size + grace; less throws `TOPOLOGY`.
   */
  readonly retentionMs?: number | undefined;
  /**
   * Makes the table a versioned one: it knows what each key held at any time of the last so many ms of stream time, takes late values
   * where they belong in time, and joins by event time. Not for windowed and global tables.
   */
  readonly historyRetentionMs?: number | undefined;
}

/** Options of operations that keep a table. */
export interface TableOptions<K, V> extends NamedOptions {
  /** How the resulting table is kept. Default: as the operation needs it. */
  readonly materialized?: MaterializedOptions<K, V> | undefined;
}

/** Options of `aggregate`, whose result type needs a serde. */
export interface AggregateOptions<K, A> extends TableOptions<K, A> {
  /** Serde of the aggregate, unless `materialized.value` gives it. */
  readonly value?: Serde<A> | undefined;
}

/** Options of joins of a stream with a table (Java's `Joined`). */
export interface JoinedOptions<K, V> extends NamedOptions {
  /**
   * Serde of the stream's keys, for a repartition topic and waiting records. Default: the stream's, where it is known.
   */
  readonly key?: WritingSerde<K> | undefined;
  /**
   * Serde of the stream's values, for a repartition topic and waiting records. Default: the stream's, where it is
   * known.
   */
  readonly value?: WritingSerde<V> | undefined;
  /**
   * Joins with a versioned table: how long a record waits for the table to catch up, in ms of the stream's time; at
   * most as long as the table keeps its history, else `TOPOLOGY`. The waiting records are kept in the store
   * `<name>-Buffer`. Default: undefined, no waiting.
   */
  readonly graceMs?: number | undefined;
  /** Where waiting records are kept, `persistent` or `memory`. Default: `persistent`, as in Kafka Streams. */
  readonly store?: 'memory' | 'persistent' | undefined;
}

/** Options of `repartition` (Java's `Repartitioned`); the topic is `<applicationId>-<name>-repartition`. */
export interface RepartitionedOptions<K, V> extends ProducedOptions<K, V> {
  /** Partitions of the topic. Default: as many as upstream has. */
  readonly partitions?: number | undefined;
}

/** What `print` writes, and where (Java's `Printed`). */
export interface PrintedOptions<K, V> extends NamedOptions, Printing<K, V> {
  /** Stands in brackets in front of each line. Default: the name of the node above. */
  readonly label?: string | undefined;
}

/** Options of `process` and `processValues`. */
export interface ProcessOptions extends NamedOptions {
  /**
   * Names of stores that were added by `StreamsBuilder.addStateStore`, to be connected to the processor. Stores of the
   * supplier itself (`ProcessorSupplier.stores`) need not be named.
   */
  readonly stores?: readonly string[] | undefined;
}

/** Options of `transformValues` of a table. */
export interface TransformValuesOptions<K, V> extends TableOptions<K, V> {
  /** Names of stores that were added by `StreamsBuilder.addStateStore`, to be connected to the transformer. */
  readonly stores?: readonly string[] | undefined;
}
