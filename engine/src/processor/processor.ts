import type { StreamsConfig } from '../base/config.ts';
import type { Log } from '../base/metrics.ts';
import type { TopicPartition } from '../base/record-batch.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import type { Record } from './record.ts';

/** Where the record being processed came from; undefined inside punctuators. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export type PunctuationType = 'STREAM_TIME' | 'WALL_CLOCK_TIME';

export interface Cancellable {
  cancel(): void;
}

/** When a punctuator runs; see {@link ProcessorContext.schedule}. */
export interface Punctuation {
  readonly intervalMs: number;
  readonly type: PunctuationType;
  readonly callback: (timestampMs: number) => void;
  /** Anchors the grid: times are this one plus multiples of the interval, the first of them that has not passed yet. Epoch ms. */
  readonly startTimeMs?: number;
}

export interface ProcessorContext<KOut = unknown, VOut = unknown> {
  readonly applicationId: string;
  /** `0_1`: sub-topology and partition. */
  readonly taskId: string;
  /** The application's configuration, ports such as `metrics` included (Java's `appConfigs`, `stateDir`, `metrics`). */
  readonly config: StreamsConfig;
  readonly log: Log;
  recordMetadata(): RecordMetadata | undefined;
  /** Depth-first and synchronous, to all children in order or to the named one. */
  forward(record: Record<KOut, VOut>, childName?: string): void;
  /** Throws `UNKNOWN_STATE_STORE` unless the store is connected to this processor. */
  getStateStore<S = StateStore>(name: string): S;
  /**
   * STREAM_TIME is anchored at 0: the first record fires it at once, then at most once a record, on the grid. WALL_CLOCK_TIME is
   * anchored at schedule time, fires once after a gap. `callback` gets the current time, not the grid's.
   */
  schedule(punctuation: Punctuation): Cancellable;
  /** Asks for a commit as soon as possible. */
  commit(): void;
  currentStreamTimeMs(): number;
  currentSystemTimeMs(): number;
}

/** One instance a task. `process` may not await; asynchronous work has operators of its own (`mapAsync`, `microBatch`). */
export interface Processor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  init?(context: ProcessorContext<KOut, VOut>): void;
  process(record: Record<KIn, VIn>): void;
  close?(): void;
}

/** Makes one processor a task; must return a new instance each time. */
export interface ProcessorSupplier<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  get(): Processor<KIn, VIn, KOut, VOut>;
  /** Stores that come with the processor and are connected to it. */
  stores?(): readonly StoreBuilder[];
}

/**
 * Chooses the partition of an output record, or several, which each get the record; none drops it (counted). Undefined means the
 * default: murmur2 of the key bytes, or one partition after another for null.
 */
export type StreamPartitioner<K, V> = (
  topic: string,
  key: K,
  value: V,
  partitionCount: number,
) => number | readonly number[] | undefined;

/**
 * Event time of a record, epoch ms. A negative one means that the record is skipped and counted; an exception ends the task.
 * Default: {@link failOnInvalidTimestamp}.
 */
export interface TimestampExtractor {
  /**
   * `partitionTimeMs` is the highest timestamp seen in the partition, -1 at first; `systemTimeMs` the wall clock. The record's
   * own timestamp is that of the topic, negative where it has none.
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
 * until its result has re-entered, and refuses new records while `saturated`. Implemented in `pipeline/`.
 */
export interface AsyncProcessor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown>
  extends Processor<KIn, VIn, KOut, VOut> {
  readonly isAsync: true;
  /** Called once before `init`. */
  attach(host: AsyncHost): void;
  /** True while no further record may be given to it: the task stops taking records. */
  readonly saturated: boolean;
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
   * Called inside `process`: takes the current record's context (topic, partition, offset, timestamp, headers) and keeps its
   * offset uncommitted until `release`. */
  hold(): HeldRecord;
  /** Results arrived: `callback` runs as a mailbox message between records, where `forward` is allowed. */
  enter(callback: () => void): void;
  /** A failed record: handed to the processing exception handler (DLQ or fail). Runs inside `enter`. */
  fail(held: HeldRecord, error: unknown): void;
}

export interface HeldRecord extends TopicPartition {
  readonly offset: number;
  /** Makes this record's context current while `forwardAll` runs; its offset stays held. Inside `enter` only. */
  run(forwardAll: () => void): void;
  /** Makes this record's context current while `forwardAll` runs, then lets its offset be committed. Inside `enter` only. */
  release(forwardAll: () => void): void;
}

/**
 * A system outside Kafka that keeps its input offsets in the same transaction as what it wrote. Its stored offset overrides
 * Kafka's on assignment; a commit that finds another owner rejects with `recovery: 'migrate'`.
 */
export interface OffsetStoringSink<K = unknown, V = unknown> {
  /** Offsets to go on from; a partition without one starts where Kafka's committed offset says. */
  open(partitions: readonly TopicPartition[], taskId: string): Promise<ReadonlyMap<string, number>>;
  /** Synchronous and bounded: buffers one record. */
  write(record: Record<K, V>, metadata: RecordMetadata): void;
  /** True when the buffer wants a commit before more records come. */
  readonly full: boolean;
  /** Writes the buffer and the positions (next offsets, by `topic-partition`) in one transaction. */
  commit(positions: ReadonlyMap<string, number>): Promise<void>;
  close(): Promise<void>;
}
