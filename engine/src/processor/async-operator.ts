// The one place outside `pipeline/` that names RxJS: a type, so that `stream.pipe(...)` is checked by the compiler.
import type { OperatorFunction } from 'rxjs';

/** What user functions of asynchronous operators get for a record: plain values that stay valid after the call. */
export interface AsyncItem<K, V> {
  /** The record's key, decoded; null where it has none. */
  readonly key: K;
  /** The record's value, decoded; null for a tombstone. */
  readonly value: V;
  /** Event time of the record, epoch ms. */
  readonly timestamp: number;
  /** Topic that the input record came from. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /**
   * Offset in the partition. With topic and partition it names the record for good: an idempotency key for outside
   * systems.
   */
  readonly offset: number;
  /**
   * Aborted when the task is revoked or closed, or the attempt timed out: hand it to `fetch` and the like. In `pipe`
   * only the task's end aborts it.
   */
  readonly signal: AbortSignal;
}

/** What the last operator of `pipe` emits: a record that goes on. Its headers are empty. */
export interface PipeRecord<K, V> {
  /** Key of the new record. */
  readonly key: K;
  /** Value of the new record; null is a tombstone. */
  readonly value: V;
  /** Event time, epoch ms. Default: the highest timestamp among the bundle's input records so far. */
  readonly timestamp?: number;
}

/** An RxJS operator for `KStream.pipe`: a function from one observable to another. */
export type StreamOperator<In, Out> = OperatorFunction<In, Out>;

/**
 * When a failed asynchronous call is made again. Its record holds its place meanwhile; nothing behind it is committed.
 */
export interface RetryOptions {
  /** Attempts in all, the first included: 1 is no retry. */
  readonly attempts: number;
  /**
   * Wait before the second attempt, in ms; doubles with each further one. Half of every wait is random, so that tasks
   * don't retry in step.
   */
  readonly backoffMs: number;
  /** Longest wait, in ms. Default: 60 000. */
  readonly backoffMsMax?: number;
  /** Whether this error is worth another attempt; false gives up at once. Default: every error is. */
  readonly retryable?: (error: unknown) => boolean;
}

/** How `KStream.mapAsync` makes its calls. No counterpart in Kafka Streams, whose processors can only block. */
export interface MapAsyncOptions {
  /** Name of the node in the topology. Default: `KSTREAM-MAPASYNC-` with the builder's next number. */
  readonly name?: string;
  /** Calls of one task that may run at once; 1 or more, else building the task throws `TOPOLOGY`. */
  readonly concurrency: number;
  /**
   * In which order results go on: `all`: in input order (the default); `key`: in input order of each key, so that a
   * slow key delays no other; `none`: as they come. Offsets are committed in input order in any case.
   */
  readonly ordered?: 'all' | 'key' | 'none';
  /** Deadline of one attempt, in ms; a later one fails with `TIMEOUT` and its signal is aborted. Default: none. */
  readonly timeoutMs?: number;
  /** When a failed call is made again. Default: never; the processing exception handler decides at once. */
  readonly retry?: RetryOptions;
}

/** How `KStream.microBatch` forms its batches and makes its calls. No counterpart in Kafka Streams. */
export interface MicroBatchOptions<K = unknown, V = unknown> {
  /** Name of the node in the topology. Default: `KSTREAM-MICROBATCH-` with the builder's next number. */
  readonly name?: string;
  /**
   * Sizes to form exactly, such as `[4, 8, 16]`. A batch of the largest goes at once; what is left after `maxDelayMs`
   * goes in the largest sizes that fit, then as a smaller rest. At least one size, each 1 or more, else building the
   * task throws `TOPOLOGY`.
   */
  readonly preferredSizes: readonly number[];
  /** Longest wait of a record for a fuller batch, in ms; 0 or more. */
  readonly maxDelayMs: number;
  /**
   * Bytes, by `sizeOf`, that may wait and be in flight; above it the task takes no records. Default: 67 108 864 (64
   * MiB).
   */
  readonly maxBytes?: number;
  /** Size of an item in bytes. Default: 0, which means no limit by size. */
  readonly sizeOf?: (value: V, key: K) => number;
  /** Batches of one task whose calls may run at once. Default: 2, one that runs and one behind it. */
  readonly maxInFlight?: number;
  /** Deadline of one attempt of a batch, in ms; a later one fails with `TIMEOUT`. Default: none. */
  readonly timeoutMs?: number;
  /**
   * When a failed batch is tried again, as a whole. Default: never; the processing exception handler decides about each
   * record.
   */
  readonly retry?: RetryOptions;
}

/** An asynchronous boundary as a value. A failed item goes to the processing exception handler. */
export type AsyncOperator =
  | {
      /** Which operator this is: one call a record. */
      readonly kind: 'mapAsync';
      /** The new value; undefined drops the record. */
      readonly map: (item: AsyncItem<unknown, unknown>) => Promise<unknown>;
      /** How many calls run at once, in which order results go on, deadlines and retries. */
      readonly options: MapAsyncOptions;
    }
  | {
      /** Which operator this is: one call for a batch of records. */
      readonly kind: 'microBatch';
      /** New values in the items' order; a length that differs fails the whole batch. */
      readonly map: (items: readonly AsyncItem<unknown, unknown>[], signal: AbortSignal) => Promise<readonly unknown[]>;
      /** Sizes of batches, how long they may wait, deadlines and retries. */
      readonly options: MicroBatchOptions;
    }
  | {
      /** Which operator this is: RxJS operators over bundles of records. */
      readonly kind: 'pipe';
      /** Name of the node; undefined: a generated one. */
      readonly name?: string;
      /** From {@link AsyncItem} to {@link PipeRecord}. Works on bundles: before a commit the runtime completes the source, awaits completion and outputs, and resubscribes. */
      readonly operators: readonly OperatorFunction<unknown, unknown>[];
    };
