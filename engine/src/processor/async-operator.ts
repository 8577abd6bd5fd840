// The one place outside `pipeline/` that names RxJS: a type, so that `stream.pipe(...)` is checked by the compiler.
import type { OperatorFunction } from 'rxjs';

/** What user functions of asynchronous operators get: plain values that stay valid. */
export interface AsyncItem<K, V> {
  readonly key: K;
  readonly value: V;
  /** Epoch ms. */
  readonly timestamp: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Aborted when the task is revoked or closed, or the call timed out. */
  readonly signal: AbortSignal;
}

/** What the last operator of `pipe` emits: a record that goes on. */
export interface PipeRecord<K, V> {
  readonly key: K;
  readonly value: V;
  /** Epoch ms; default: the highest timestamp of the bundle's items so far. */
  readonly timestamp?: number;
}

/** An RxJS operator, under the name by which the DSL speaks of it. */
export type StreamOperator<In, Out> = OperatorFunction<In, Out>;

export interface RetryOptions {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** Wait before the second attempt, ms; doubles each time, with jitter. */
  readonly backoffMs: number;
  readonly backoffMsMax?: number;
  /** False ends at once. Default: always true. */
  readonly retryable?: (error: unknown) => boolean;
}

export interface MapAsyncOptions {
  readonly name?: string;
  /** Calls at once per task. */
  readonly concurrency: number;
  /** Results in input order (default), or per key, or as they come. Offsets are committed in order in any case. */
  readonly ordered?: 'all' | 'key' | 'none';
  /** Deadline of one attempt, ms. */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
}

export interface MicroBatchOptions<K = unknown, V = unknown> {
  readonly name?: string;
  /** Sizes to form exactly, e.g. [4, 8, 16]; what is left after `maxDelayMs` goes in the largest sizes that fit, then as a rest. */
  readonly preferredSizes: readonly number[];
  /** Longest wait of the oldest item for a fuller batch, ms. */
  readonly maxDelayMs: number;
  /** Bytes in flight and waiting; above it the task takes no records. */
  readonly maxBytes?: number;
  readonly sizeOf?: (value: V, key: K) => number;
  /** Batches at once per task. */
  readonly maxInFlight?: number;
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
}

/** An asynchronous boundary as a value. A failed item goes to the processing exception handler. */
export type AsyncOperator =
  | {
      readonly kind: 'mapAsync';
      /** The new value; undefined drops the record. */
      readonly map: (item: AsyncItem<unknown, unknown>) => Promise<unknown>;
      readonly options: MapAsyncOptions;
    }
  | {
      readonly kind: 'microBatch';
      /** New values in the items' order; a length that differs fails the whole batch. */
      readonly map: (items: readonly AsyncItem<unknown, unknown>[], signal: AbortSignal) => Promise<readonly unknown[]>;
      readonly options: MicroBatchOptions;
    }
  | {
      readonly kind: 'pipe';
      readonly name?: string;
      /** From {@link AsyncItem} to {@link PipeRecord}. Works on bundles: before a commit the runtime completes the source, awaits completion and outputs, and resubscribes. */
      readonly operators: readonly OperatorFunction<unknown, unknown>[];
    };
