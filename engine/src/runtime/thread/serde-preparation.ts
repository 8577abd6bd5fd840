import { type BackoffBounds, backoffMs } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/metrics.ts';
import type { Random } from '../../base/random.ts';
import type { FetchedPartition } from '../../broker/broker.ts';
import type { SourcePartition } from '../task/source-partition.ts';
import type { StreamTask } from '../task/stream-task.ts';

/** Waits between two tries to reach a registry. */
const SCHEMA_BACKOFF: BackoffBounds = { minMs: 100, maxMs: 10_000 };

interface Waiting {
  readonly fetched: FetchedPartition[];
}

/**
 * Hands fetched batches to tasks, after their serdes have what decoding needs (writer schemas): once a batch, never a record.
 * While something is missing the partition's batches wait here in order; other partitions go on.
 *
 * Owns: waiting batches. Called by: StreamThread.
 * Invariants: I1 batches of a partition are enqueued in order; I2 a queue never learns a position beyond a waiting batch, so
 * nothing waiting is committed; I3 batches of closed tasks are released.
 */
export class SerdePreparation {
  readonly #waiting = new Map<SourcePartition, Waiting>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #wake: () => void;
  readonly #onFetchError: (task: StreamTask, fetched: FetchedPartition) => void;
  readonly #onTaskError: (task: StreamTask, error: unknown) => void;

  constructor(options: {
    /** Measures the waits for a registry. */
    readonly clock: Clock;
    /** Spreads the waits. */
    readonly random: Random;
    /** Told of each look-up that failed. */
    readonly log: Log;
    /** Called when a batch that waited is in its queue. */
    readonly wake: () => void;
    /** A fetch that failed, after all that was fetched before it. */
    readonly onFetchError: (task: StreamTask, fetched: FetchedPartition) => void;
    /** A batch that waited was not accepted by its task. */
    readonly onTaskError: (task: StreamTask, error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#wake = options.wake;
    this.#onFetchError = options.onFetchError;
    this.#onTaskError = options.onTaskError;
  }

  /** Batches of this partition wait for a registry. */
  isWaiting(source: SourcePartition): boolean {
    return this.#waiting.has(source);
  }

  /**
   * Hands a batch over now, or when its serdes can decode it. Batches of the partition that come meanwhile wait behind
   * it.
   */
  deliver(task: StreamTask, source: SourcePartition, fetched: FetchedPartition): void {
    const waiting = this.#waiting.get(source);
    if (waiting !== undefined) {
      waiting.fetched.push(fetched);
      return;
    }
    const missing = prepare(source, fetched);
    if (missing === undefined) {
      this.#handOver(task, source, fetched);
      return;
    }
    this.#waiting.set(source, { fetched: [fetched] });
    void this.#work(task, source, missing);
  }

  #handOver(task: StreamTask, source: SourcePartition, fetched: FetchedPartition): void {
    if (fetched.error !== undefined) this.#onFetchError(task, fetched);
    else enqueue(source, fetched);
  }

  /** Never rejects: an unreachable registry is tried again until the task is closed. */
  async #work(task: StreamTask, source: SourcePartition, first: Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(source) as Waiting;
    let missing: Promise<void> | undefined = first;
    let failures = 0;
    while (waiting.fetched.length > 0 && !isClosed(task)) {
      const fetched = waiting.fetched[0] as FetchedPartition;
      try {
        await (missing ?? prepare(source, fetched));
        missing = undefined;
      } catch (error) {
        missing = undefined;
        failures += 1;
        this.#log.warn(
          { err: error, partition: source.key, failures },
          'Schemas are out of reach; the partition waits',
        );
        await sleep(this.#clock, backoffMs(failures, SCHEMA_BACKOFF, this.#random));
        continue;
      }
      failures = 0;
      if (isClosed(task)) break;
      waiting.fetched.shift();
      try {
        this.#handOver(task, source, fetched);
      } catch (error) {
        // The record's timestamp can't be told, and nobody lets it pass.
        this.#onTaskError(task, error);
        break;
      }
      this.#wake();
    }
    for (const { batches } of waiting.fetched) for (const batch of batches) batch.release();
    this.#waiting.delete(source);
  }
}

function prepare(source: SourcePartition, fetched: FetchedPartition): Promise<void> | undefined {
  const { keySerde, valueSerde } = source.node.spec;
  if (keySerde.prepare === undefined && valueSerde.prepare === undefined) return undefined;
  const missing: Promise<void>[] = [];
  for (const batch of fetched.batches) {
    const key = keySerde.prepare?.(batch, 'key');
    const value = valueSerde.prepare?.(batch, 'value');
    if (key !== undefined) missing.push(key);
    if (value !== undefined) missing.push(value);
  }
  return missing.length === 0 ? undefined : Promise.all(missing).then(() => undefined);
}

function enqueue(source: SourcePartition, fetched: FetchedPartition): void {
  for (const batch of fetched.batches) source.queue.add(batch);
  source.fetchedUpTo(fetched.nextOffset);
}

/** A call, so that the compiler doesn't think the state stays the same over an await. */
function isClosed(task: StreamTask): boolean {
  return task.state === 'CLOSED';
}
