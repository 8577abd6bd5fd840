import type { StreamsConfig } from '../base/config.ts';
import type { Log } from '../base/metrics.ts';
import type { TopicPartition } from '../base/record-batch.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import type { Headers } from './headers.ts';
import type { Record } from './record.ts';

/** Where the record being processed came from; undefined inside punctuators. */
export interface RecordMetadata {
  /** Topic of the input record; below a repartition topic that is the repartition topic. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /** Offset in the partition. */
  readonly offset: number;
}

/** What a topic name extractor sees of an output record besides key and value (Java's `RecordContext`). */
export interface OutputRecordContext extends RecordMetadata {
  /** Epoch milliseconds, of the output record. */
  readonly timestamp: number;
  /** Those that will be written: what the extractor adds is written, too. */
  readonly headers: Headers;
}

/**
 * Which clock drives a punctuator. `STREAM_TIME`: the highest record timestamp that the task has seen; stands still
 * without records. `WALL_CLOCK_TIME`: the time of the machine.
 */
export type PunctuationType = 'STREAM_TIME' | 'WALL_CLOCK_TIME';

/** A scheduled punctuator. */
export interface Cancellable {
  /** Ends it; also from within its own callback. May be called again. */
  cancel(): void;
}

/** When a punctuator runs, and what it does; given to {@link ProcessorContext.schedule}. */
export interface Punctuation {
  /** Distance of its times, in ms; 1 or more, else scheduling throws `CONFIG`. */
  readonly intervalMs: number;
  /** Which clock drives it. */
  readonly type: PunctuationType;
  /**
   * Runs between two records and may use stores and `forward`. `timestampMs` is the current time of its clock, which
   * may lie behind the grid's.
   */
  readonly callback: (timestampMs: number) => void;
  /**
   * Anchors the grid: times are this one plus multiples of the interval, the first of them that has not passed yet.
   * Epoch ms, 0 or more. Default: 0 for `STREAM_TIME`, the time of scheduling for `WALL_CLOCK_TIME`.
   */
  readonly startTimeMs?: number;
}

/**
 * What a processor may ask of its task. Valid from `init` until `close`, inside the processor's own calls and
 * punctuators only.
 */
export interface ProcessorContext<KOut = unknown, VOut = unknown> {
  /** The application's id, as configured. */
  readonly applicationId: string;
  /** Task that this processor belongs to: `0_1` is sub-topology 0, partition 1. */
  readonly taskId: string;
  /** The application's configuration, ports such as `metrics` included (Java's `appConfigs`, `stateDir`, `metrics`). */
  readonly config: StreamsConfig;
  /** The configuration's log. */
  readonly log: Log;
  /** Where the input record came from; undefined inside punctuators. */
  recordMetadata(): RecordMetadata | undefined;
  /**
   * Hands a record to all children in order, or to the one that is named. Depth-first and synchronous: every descendant
   * has finished when it returns. Children share the record and its headers. Throws `TOPOLOGY` for a child that doesn't
   * exist.
   */
  forward(record: Record<KOut, VOut>, childName?: string): void;
  /**
   * A store that is connected to this processor, or a global one. Throws `UNKNOWN_STATE_STORE` for any other.
   * @example
   * ```ts
   * class Totals implements Processor<string, number, string, number> {
   *   #context!: ProcessorContext<string, number>;
   *   #totals!: KeyValueStore<string, number>;
   *
   *   init(context: ProcessorContext<string, number>): void {
   *     this.#context = context;
   *     this.#totals = context.getStateStore('totals');
   *   }
   *
   *   process(record: Record<string, number>): void {
   *     const total = (this.#totals.get(record.key) ?? 0) + record.value;
   *     this.#totals.put(record.key, total);
   *     this.#context.forward(record.withValue(total));
   *   }
   * }
   * ```
   */
  getStateStore<S = StateStore>(name: string): S;
  /**
   * Runs a callback again and again between records. STREAM_TIME is anchored at 0: the first record fires it at once,
   * then at most once a record, on the grid. WALL_CLOCK_TIME is anchored at schedule time and fires once after a gap.
   * Throws `CONFIG` for an interval below 1 ms.
   * @example
   * ```ts
   * class Heartbeat implements Processor<string, string, string, string> {
   *   init(context: ProcessorContext<string, string>): void {
   *     context.schedule({
   *       intervalMs: 60_000,
   *       type: 'WALL_CLOCK_TIME',
   *       callback: (timestampMs) => context.forward(new Record('heartbeat', context.taskId, timestampMs)),
   *     });
   *   }
   *
   *   process(): void {}
   * }
   * ```
   */
  schedule(punctuation: Punctuation): Cancellable;
  /** Asks for a commit of this task before the next is due; returns at once. */
  commit(): void;
  /** Highest record timestamp that the task has seen, epoch ms; -1 before the first record. */
  currentStreamTimeMs(): number;
  /**
   * Wall clock of the configuration, epoch ms: what a processor uses instead of `Date.now()`, so that tests own its
   * time.
   */
  currentSystemTimeMs(): number;
}

/**
 * Handles the records of one node, one instance a task. Everything in it is synchronous; asynchronous work has
 * operators of its own (`mapAsync`, `microBatch`, `pipe`). What it throws goes to the processing exception handler.
 */
export interface Processor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  /**
   * Called once, when the task's stores are restored and before the first record: get stores and schedule punctuators
   * here.
   */
  init?(context: ProcessorContext<KOut, VOut>): void;
  /**
   * Handles one record and forwards what follows from it. The record is a view that is reused for the next one:
   * `record.detach()` keeps it.
   */
  process(record: Record<KIn, VIn>): void;
  /**
   * Called once when the task ends here; it may go on elsewhere. Stores are still open, but nothing can be forwarded.
   */
  close?(): void;
}

/** Makes the processor of each task. Java's `ProcessorSupplier`, and its `ConnectedStoreProvider` by `stores`. */
export interface ProcessorSupplier<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  /** A new instance each time: tasks never share one. */
  get(): Processor<KIn, VIn, KOut, VOut>;
  /** Stores that come with the processor: they are added to the topology and connected to it. */
  stores?(): readonly StoreBuilder[];
}

/**
 * Chooses the partition of an output record, or several, which each get the record; an empty list drops it (counted in
 * `dropped-records-total`). Undefined means the default: murmur2 of the key bytes, as Java's producers do; records
 * without a key stay with one partition until its batch is sent.
 */
export type StreamPartitioner<K, V> = (
  topic: string,
  key: K,
  value: V,
  partitionCount: number,
) => number | readonly number[] | undefined;

/** Finds the event time of input records. Default: {@link failOnInvalidTimestamp}. */
export interface TimestampExtractor {
  /**
   * Answers the record's event time, epoch ms; fractions are cut off, a negative time means that the record is skipped
   * and counted. The record's own timestamp is that of the topic, negative where it has none. `partitionTimeMs` is the
   * highest time answered for the partition so far, -1 at first; `systemTimeMs` the wall clock. An `INVALID_TIMESTAMP`
   * or `DESERIALIZATION` error goes to the deserialization exception handler, any other ends the thread.
   */
  extract(
    record: Record<unknown, unknown>,
    metadata: RecordMetadata,
    partitionTimeMs: number,
    systemTimeMs: number,
  ): number;
}

/**
 * An asynchronous boundary inside a task. The node only gathers; the task drains it, keeps the input record's offset pending
 * until its result has re-entered, and refuses new records while `isSaturated`. Implemented in `pipeline/`.
 */
export interface AsyncProcessor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown>
  extends Processor<KIn, VIn, KOut, VOut> {
  readonly isAsync: true;
  /** Called once before `init`. */
  attach(host: AsyncHost): void;
  /** True while no further record may be given to it: the task stops taking records. */
  readonly isSaturated: boolean;
  /** Records taken in and not yet released. */
  readonly pending: number;
  /** Starts what is waiting to fill up (a micro-batch): before a commit that must drain, at close, when idle. */
  flush(): void;
  /** Abandons everything in flight (revoked, closed dirty); late results are ignored. */
  cancel(): void;
}

/** What a task offers an asynchronous node. */
export interface AsyncHost {
  /**
   * Called inside `process`: takes the current record's context (topic, partition, offset, timestamp, headers) and
   * keeps its offset uncommitted until `release`.
   */
  hold(): HeldRecord;
  /** Results arrived: `callback` runs as a mailbox message between records, where `forward` is allowed. */
  enter(callback: () => void): void;
  /** A failed record: handed to the processing exception handler (DLQ or fail). Runs inside `enter`. */
  fail(held: HeldRecord, error: unknown): void;
}

/** An input record that an asynchronous node works on: its offset can't be committed until it is released or failed. */
export interface HeldRecord extends TopicPartition {
  /** Its offset in the partition. */
  readonly offset: number;
  /** Makes this record's context current while `forwardAll` runs; its offset stays held. Inside `enter` only. */
  run(forwardAll: () => void): void;
  /** Makes this record's context current while `forwardAll` runs, then lets its offset be committed. Inside `enter` only. */
  release(forwardAll: () => void): void;
}

/**
 * A system outside Kafka that keeps its input offsets in the same transaction as what it wrote, so that a crash neither
 * loses nor repeats a row. Its stored offset overrides Kafka's on assignment; a commit that finds another owner rejects
 * with `recovery: 'migrate'`. No counterpart in Kafka Streams; given to `KStream.toExternal`.
 */
export interface OffsetStoringSink<K = unknown, V = unknown> {
  /**
   * Called before the first record: takes the partitions over and answers the offsets to go on from, by
   * `topic-partition`. A partition without one starts where Kafka's committed offset says.
   */
  open(partitions: readonly TopicPartition[], taskId: string): Promise<ReadonlyMap<string, number>>;
  /** Buffers one record. Synchronous; `record` is a view, to be copied from. */
  write(record: Record<K, V>, metadata: RecordMetadata): void;
  /** True when the buffer wants a commit before more records come: the task takes none meanwhile. */
  readonly isFull: boolean;
  /** Writes the buffer and the positions (next offsets, by `topic-partition`) in one transaction. */
  commit(positions: ReadonlyMap<string, number>): Promise<void>;
  /** Gives connections back; called once, and what was not committed is forgotten. */
  close(): Promise<void>;
}
