import { INFERENCE_PRIORITIES, type InferencePriority } from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import { formBatch } from './form-batch.ts';
import type { InferenceMetrics } from './inference-metrics.ts';

/** Lanes in order of service. */
const LANES: readonly InferencePriority[] = [...INFERENCE_PRIORITIES].reverse();
/** One batch in this many belongs to what is overdue: enough that nothing starves, little enough that high stays fast. */
const OVERDUE_TURN = 4;
/** Longest wait of a rest for company while the judge is busy, ms: about what a full batch takes on one core. */
const REST_DELAY_MS = 250;

/** Settings of {@link LaneBatcher}. */
export interface LaneBatcherOptions<T, R> {
  /** One result an item, in order. `signal` is aborted when nobody waits for the batch any more. */
  readonly judge: (items: readonly T[], signal: AbortSignal) => Promise<readonly R[]>;
  readonly clock: Clock;
  readonly metrics: InferenceMetrics;
  /** Sizes to form exactly, e.g. [4, 8, 16]. */
  readonly preferredSizes: readonly number[];
  /** Longest wait of an item for company, ms, while the judge is idle. */
  readonly maxDelayMs: number;
  /** Batches at the judge at once. */
  readonly maxInFlight: number;
  /** An item that has waited this long, ms, gets one batch in four, whatever its lane. */
  readonly overdueMs: number;
}

/** How one item wants to be batched. */
export interface LaneItemOptions {
  readonly lane: InferencePriority;
  /** Upper bound of batches with this item, 1 or more. */
  readonly batchSizeMax: number;
  readonly signal: AbortSignal;
}

interface Entry<T, R> {
  readonly value: T;
  readonly lane: InferencePriority;
  readonly batchSizeMax: number;
  readonly arrivedMs: number;
  /** Tells apart what arrived in the same moment. */
  readonly arrival: number;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Gathers items of every task of a process into batches of exactly the preferred sizes, in three lanes.
 *
 * A batch that can't grow goes at once; a smaller one when its oldest item has waited `maxDelayMs`, in the largest preferred
 * size that fits. What is left below the smallest preferred size goes too, unless a batch is at the judge: it would most likely
 * queue behind it, so it waits for company a while longer.
 *
 * Owns: the waiting items, the batches at the judge, one timer. Called by: the inference topologies of the process.
 * Invariants: I1 every item settles exactly once: with its result, its batch's error or its signal's reason; I2 a lane is first
 * in, first out; I3 a batch is led by the highest lane that waits, except for one in four while something is overdue; I4 no
 * batch is larger than the bound of any of its items; I5 at most `maxInFlight` batches are at the judge.
 */
export class LaneBatcher<T, R> {
  readonly #options: LaneBatcherOptions<T, R>;
  readonly #sizesDescending: readonly number[];
  readonly #lanes = new Map<InferencePriority, Entry<T, R>[]>(LANES.map((lane) => [lane, []]));
  /** For items at the judge: what to do when their caller goes away. */
  readonly #abandonedBy = new Map<Entry<T, R>, () => void>();
  #arrivals = 0;
  #running = 0;
  /** Batches since an overdue item led one. */
  #sinceOverdue = 0;
  #timer: { cancel(): void } | undefined;

  constructor(options: LaneBatcherOptions<T, R>) {
    const { preferredSizes, maxDelayMs, maxInFlight } = options;
    if (preferredSizes.length === 0 || preferredSizes.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new RangeError(`preferredSizes is [${preferredSizes.join(', ')}]; give at least one integer from 1 on`);
    }
    if (!(maxDelayMs >= 0)) throw new RangeError(`maxDelayMs is ${maxDelayMs}; give 0 or more`);
    if (!(Number.isInteger(maxInFlight) && maxInFlight >= 1)) {
      throw new RangeError(`maxInFlight is ${maxInFlight}; give an integer from 1 on`);
    }
    this.#options = options;
    this.#sizesDescending = [...preferredSizes].sort((left, right) => right - left);
  }

  /** Resolves with the item's result; rejects with the error of its batch or, at once, with the signal's reason. */
  submit(value: T, { lane, batchSizeMax, signal }: LaneItemOptions): Promise<R> {
    if (signal.aborted) return Promise.reject(signal.reason);
    this.#arrivals += 1;
    return new Promise<R>((resolve, reject) => {
      const onAbort = () => {
        this.#forget(entry);
        reject(signal.reason);
      };
      const settled = () => signal.removeEventListener('abort', onAbort);
      const entry: Entry<T, R> = {
        value,
        lane,
        batchSizeMax: Math.max(1, batchSizeMax),
        arrivedMs: this.#options.clock.monotonicMs(),
        arrival: this.#arrivals,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#laneOf(lane).push(entry);
      this.#dispatch();
    });
  }

  #laneOf(lane: InferencePriority): Entry<T, R>[] {
    return this.#lanes.get(lane) as Entry<T, R>[];
  }

  #forget(entry: Entry<T, R>): void {
    const lane = this.#laneOf(entry.lane);
    const at = lane.indexOf(entry);
    if (at >= 0) lane.splice(at, 1);
    else this.#abandonedBy.get(entry)?.();
    this.#arm();
  }

  #dispatch(): void {
    while (this.#running < this.#options.maxInFlight) {
      const nowMs = this.#options.clock.monotonicMs();
      const overdue = this.#overdueLane(nowMs);
      const turn = overdue !== undefined && this.#sinceOverdue >= OVERDUE_TURN - 1;
      const order = turn ? [overdue, ...LANES.filter((lane) => lane !== overdue)] : LANES;
      const proposal = formBatch(
        order.map((lane) => this.#laneOf(lane)),
        this.#sizesDescending,
      );
      const wellFormed = proposal.exact || this.#running === 0 || this.#waitedMs(nowMs) >= REST_DELAY_MS;
      const mayGo = proposal.full || (wellFormed && this.#waitedMs(nowMs) >= this.#options.maxDelayMs);
      if (proposal.items.length === 0 || !mayGo) break;
      const ledByOverdue = proposal.items[0]?.lane === overdue;
      this.#sinceOverdue = ledByOverdue ? 0 : this.#sinceOverdue + 1;
      this.#send(proposal.items, proposal.exact, nowMs);
    }
    this.#arm();
  }

  /** The lane of the item that has waited longest, where that is too long. */
  #overdueLane(nowMs: number): InferencePriority | undefined {
    let oldest: Entry<T, R> | undefined;
    for (const lane of LANES) {
      const head = this.#laneOf(lane)[0];
      if (head !== undefined && (oldest === undefined || head.arrival < oldest.arrival)) oldest = head;
    }
    return oldest !== undefined && nowMs - oldest.arrivedMs >= this.#options.overdueMs ? oldest.lane : undefined;
  }

  /** How long the oldest item has waited; below zero without any. */
  #waitedMs(nowMs: number): number {
    return nowMs - Math.min(...LANES.map((lane) => this.#laneOf(lane)[0]?.arrivedMs ?? Number.POSITIVE_INFINITY));
  }

  /** The timer runs for the oldest item; what has waited long enough waits for the judge, not for time. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#running >= this.#options.maxInFlight) return;
    const waitedMs = this.#waitedMs(this.#options.clock.monotonicMs());
    const nextMs = [this.#options.maxDelayMs, REST_DELAY_MS].find((delayMs) => delayMs > waitedMs);
    if (nextMs === undefined || waitedMs === Number.NEGATIVE_INFINITY) return;
    this.#timer = this.#options.clock.setTimer(nextMs - waitedMs, () => {
      this.#timer = undefined;
      this.#dispatch();
    });
  }

  #send(entries: readonly Entry<T, R>[], exact: boolean, nowMs: number): void {
    for (const lane of LANES) {
      const taken = entries.filter((entry) => entry.lane === lane).length;
      this.#laneOf(lane).splice(0, taken);
    }
    for (const { lane, arrivedMs } of entries) this.#options.metrics.queued(lane, nowMs - arrivedMs);
    this.#options.metrics.batchFormed(entries.length, exact && this.#sizesDescending.includes(entries.length));
    const abandoned = new AbortController();
    let waiting = entries.length;
    for (const entry of entries) {
      this.#abandonedBy.set(entry, () => {
        waiting -= 1;
        if (waiting === 0) abandoned.abort(new DOMException('nobody waits for this batch', 'AbortError'));
      });
    }
    this.#running += 1;
    void this.#judged(entries, abandoned.signal).finally(() => {
      this.#running -= 1;
      for (const entry of entries) this.#abandonedBy.delete(entry);
      this.#dispatch();
    });
  }

  async #judged(entries: readonly Entry<T, R>[], signal: AbortSignal): Promise<void> {
    try {
      const results = await this.#options.judge(
        entries.map((entry) => entry.value),
        signal,
      );
      if (results.length !== entries.length) {
        throw new RangeError(`the judge gave ${results.length} results for ${entries.length} items`);
      }
      for (const [index, entry] of entries.entries()) entry.resolve(results[index] as R);
    } catch (error) {
      for (const entry of entries) entry.reject(error);
    }
  }
}
