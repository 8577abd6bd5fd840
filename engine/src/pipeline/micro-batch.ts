import type { Timer } from '../base/clock.ts';
import { StreamsError, TopologyError } from '../base/errors.ts';
import type { AsyncItem, MicroBatchOptions } from '../processor/async-operator.ts';
import type { Record } from '../processor/record.ts';
import { type AsyncDeps, AsyncOperatorProcessor, type HeldItem } from './async-operator-processor.ts';
import { guardedCall } from './guarded-call.ts';

/** One running, one being gathered: keeps a model busy without piling up. */
const IN_FLIGHT_MAX_DEFAULT = 2;
/** Waiting and in flight; images are the largest things that flow here. */
const BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
/** Finished batches that may wait for an earlier one, per batch in flight. */
const BACKLOG_PER_SLOT = 2;

interface Waiting {
  readonly item: HeldItem;
  readonly sizeBytes: number;
  readonly arrivedMs: number;
}

interface Batch {
  readonly items: readonly HeldItem[];
  readonly sizeBytes: number;
  done: boolean;
  error: unknown;
  failed: boolean;
  results: readonly unknown[];
}

/**
 * `microBatch`: gathers records into batches of exactly the preferred sizes and makes one call a batch.
 *
 * A full batch of the largest size goes at once; otherwise everything waits until the oldest item has waited `maxDelayMs`,
 * then goes in the largest preferred sizes that fit, and last what is smaller than the smallest.
 *
 * Owns: waiting items, batches in flight, the delay timer. Called by: StreamTask.
 * Invariants: those of AsyncOperatorProcessor; I4 results leave in input order; I5 a batch has a preferred size unless it is the rest of an
 * expired or flushed wait; I6 at most `maxInFlight` user calls run.
 */
export class MicroBatch extends AsyncOperatorProcessor {
  readonly #map: (items: readonly AsyncItem<unknown, unknown>[], signal: AbortSignal) => Promise<readonly unknown[]>;
  readonly #options: MicroBatchOptions;
  readonly #sizesDescending: readonly number[];
  readonly #largest: number;
  readonly #inFlightMax: number;
  readonly #bytesMax: number;
  #waiting: Waiting[] = [];
  readonly #batches: Batch[] = [];
  #running = 0;
  #bytes = 0;
  #items = 0;
  /** So many of the waiting items, from the oldest on, may wait no longer. */
  #due = 0;
  #timer: Timer | undefined;

  constructor(
    map: (items: readonly AsyncItem<unknown, unknown>[], signal: AbortSignal) => Promise<readonly unknown[]>,
    options: MicroBatchOptions,
    deps: AsyncDeps,
  ) {
    super(deps);
    const sizes = options.preferredSizes;
    if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new TopologyError(
        `microBatch ${deps.nodeName}: preferredSizes is [${sizes.join(', ')}]; give at least one integer from 1 on`,
      );
    }
    if (!(options.maxDelayMs >= 0)) {
      throw new TopologyError(`microBatch ${deps.nodeName}: maxDelayMs is ${options.maxDelayMs}; give 0 or more`);
    }
    this.#map = map;
    this.#options = options;
    this.#sizesDescending = [...sizes].sort((left, right) => right - left);
    this.#largest = this.#sizesDescending[0] as number;
    this.#inFlightMax = options.maxInFlight ?? IN_FLIGHT_MAX_DEFAULT;
    this.#bytesMax = options.maxBytes ?? BYTES_MAX_DEFAULT;
  }

  get isSaturated(): boolean {
    if (this.#bytes >= this.#bytesMax) return true;
    return this.#waiting.length >= this.#largest && !this.#mayDispatch;
  }

  get pending(): number {
    return this.#items;
  }

  process(record: Record<unknown, unknown>): void {
    const item = this.takeIn(record);
    const sizeBytes = this.#options.sizeOf?.(item.value, item.key) ?? 0;
    this.#waiting.push({ item, sizeBytes, arrivedMs: this.deps.clock.monotonicMs() });
    this.#items += 1;
    this.#bytes += sizeBytes;
    // Nothing more is taken in above the byte limit, so waiting for a fuller batch would be in vain.
    if (this.#bytes >= this.#bytesMax) this.#due = this.#waiting.length;
    this.#dispatch();
  }

  flush(): void {
    this.#due = this.#waiting.length;
    this.#dispatch();
  }

  override cancel(): void {
    super.cancel();
    this.#timer?.cancel();
    this.#waiting = [];
    this.#batches.length = 0;
    this.#items = 0;
    this.#bytes = 0;
  }

  get #mayDispatch(): boolean {
    return this.#running < this.#inFlightMax && this.#batches.length < this.#inFlightMax * BACKLOG_PER_SLOT;
  }

  #dispatch(): void {
    while (this.#mayDispatch) {
      const count = this.#nextSize();
      if (count === 0) break;
      this.#send(this.#waiting.splice(0, count));
      this.#due = Math.max(0, this.#due - count);
    }
    this.#arm();
  }

  /** How many of the waiting items form the next batch; 0: wait. */
  #nextSize(): number {
    const waiting = this.#waiting.length;
    if (waiting >= this.#largest) return this.#largest;
    if (this.#due === 0 || waiting === 0) return 0;
    return this.#sizesDescending.find((size) => size <= waiting) ?? waiting;
  }

  /** The timer runs for the oldest item that is not due yet. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const oldest = this.#waiting[this.#due];
    if (oldest === undefined) return;
    const waitedMs = this.deps.clock.monotonicMs() - oldest.arrivedMs;
    this.#timer = this.deps.clock.setTimer(Math.max(0, this.#options.maxDelayMs - waitedMs), () => {
      if (this.isCancelled) return;
      this.#due = this.#waiting.length;
      this.#dispatch();
    });
  }

  #send(waiting: readonly Waiting[]): void {
    const items = waiting.map((entry) => entry.item);
    const sizeBytes = waiting.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    const batch: Batch = { items, sizeBytes, done: false, error: undefined, failed: false, results: [] };
    this.#batches.push(batch);
    this.#running += 1;
    const { clock, random, nodeName } = this.deps;
    const { timeoutMs, retry } = this.#options;
    const call = async (signal: AbortSignal): Promise<readonly unknown[]> => {
      const results = await this.#map(
        items.map((item) => this.asItem(item, signal)),
        signal,
      );
      if (results.length !== items.length) {
        throw new StreamsError(
          `microBatch ${nodeName} got ${results.length} results for ${items.length} items; give one an item, in order`,
          { code: 'PROCESSING', recovery: 'fail' },
        );
      }
      return results;
    };
    guardedCall(call, {
      clock,
      random,
      what: `A batch of ${items.length} of microBatch ${nodeName}`,
      timeoutMs,
      retry,
      signal: this.abort.signal,
      onRunning: this.countRunning,
    }).then(
      (results) => this.#settled(batch, results, false, undefined),
      (error: unknown) => this.#settled(batch, [], true, error),
    );
  }

  #settled(batch: Batch, results: readonly unknown[], failed: boolean, error: unknown): void {
    this.#running -= 1;
    if (this.isCancelled) return;
    batch.done = true;
    batch.failed = failed;
    batch.error = error;
    batch.results = results;
    this.requestDrain();
    this.#dispatch();
  }

  protected drain(): void {
    while (this.#batches[0]?.done === true) {
      const batch = this.#batches.shift() as Batch;
      this.#bytes -= batch.sizeBytes;
      for (const [index, item] of batch.items.entries()) {
        this.#items -= 1;
        if (batch.failed) this.fail(item, batch.error);
        else this.release(item, batch.results[index]);
      }
    }
    this.#dispatch();
  }
}
