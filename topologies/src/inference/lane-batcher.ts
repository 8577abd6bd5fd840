import type { DetectorVersion, InferencePriority } from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import type { InferenceMetrics } from './inference-metrics.ts';
import { type Offer, rank, type WaitingItem, WaitingItems } from './waiting-items.ts';

/** One batch in this many belongs to what is overdue: enough that nothing starves, little enough that high stays fast. */
const OVERDUE_TURN = 4;
/**
 * Longest wait of fewer items than the smallest preferred size while the judge is busy, ms: about what a full batch
 * takes on one core.
 */
const REST_DELAY_MS = 250;

/** Settings of {@link LaneBatcher}. */
export interface LaneBatcherOptions<T, R> {
  /** One result an item, in order. `signal` is aborted when nobody waits for the batch any more. */
  readonly judge: (items: readonly T[], signal: AbortSignal) => Promise<readonly R[]>;
  readonly clock: Clock;
  readonly metrics: InferenceMetrics;
  /** Sizes to form exactly, e.g. [4, 8, 16]. */
  readonly preferredSizes: readonly number[];
  /** Longest wait of an item for others of its batch, ms, while the judge is idle. */
  readonly maxDelayMs: number;
  /** Batches at the judge at once of versions in production, and as many of versions on trial. */
  readonly maxInFlight: number;
  /** An item that has waited this long, ms, gets one batch in four, whatever its lane. */
  readonly overdueMs: number;
}

/** How one item wants to be batched. */
export interface LaneItemOptions {
  /** Items of different versions never share a batch. */
  readonly version: DetectorVersion;
  readonly lane: InferencePriority;
  /** Upper bound of batches with this item, 1 or more. */
  readonly batchSizeMax: number;
  readonly signal: AbortSignal;
}

interface Entry<T, R> extends WaitingItem {
  readonly value: T;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Gathers items of every task of a process into batches of exactly the preferred sizes, each for one version, in three lanes.
 *
 * A batch that can't grow goes at once; a smaller one when its oldest item has waited `maxDelayMs`, in the largest
 * preferred size that fits. What is left below the smallest preferred size goes too, unless a batch is at the judge: it
 * would most likely queue behind it, so it waits for others a while longer. Of several versions that one goes whose
 * batch has the highest leader, then the oldest.
 *
 * Owns: the waiting items, the batches at the judge, one timer. Called by: the inference topologies of the process.
 * Invariants: I1 every item settles exactly once: with its result, its batch's error or its signal's reason; I2 a lane of a
 * version is first in, first out; I3 a batch is led by the highest lane that has waited `maxDelayMs`, except for one in four
 * while something is overdue; I4 no batch is larger than the bound of any of its items; I5 at most `maxInFlight` batches of
 * versions in production are at the judge, and as many of versions on trial (those with a fallback): none waits for a trial.
 */
export class LaneBatcher<T, R> {
  readonly #options: LaneBatcherOptions<T, R>;
  readonly #waiting: WaitingItems<Entry<T, R>>;
  /** For items at the judge: what to do when their caller goes away. */
  readonly #abandonedBy = new Map<Entry<T, R>, () => void>();
  #arrivals = 0;
  /** Batches at the judge. */
  readonly #running = { production: 0, trial: 0 };
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
    this.#waiting = new WaitingItems([...preferredSizes].sort((left, right) => right - left));
  }

  /** Resolves with the item's result; rejects with the error of its batch or, at once, with the signal's reason. */
  submit(value: T, { version, lane, batchSizeMax, signal }: LaneItemOptions): Promise<R> {
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
        version,
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
      this.#waiting.add(entry);
      this.#dispatch();
    });
  }

  #forget(entry: Entry<T, R>): void {
    if (!this.#waiting.remove(entry)) this.#abandonedBy.get(entry)?.();
    this.#arm();
  }

  #dispatch(): void {
    for (;;) {
      const nowMs = this.#options.clock.monotonicMs();
      const overdue = this.#overdue(nowMs);
      const isTurn = overdue !== undefined && this.#sinceOverdue >= OVERDUE_TURN - 1;
      const offer = isTurn ? this.#waiting.offerLedBy(overdue, nowMs) : this.#best(nowMs);
      if (offer === undefined) break;
      const { version, lane } = offer.leader;
      this.#sinceOverdue = version === overdue?.version && lane === overdue.lane ? 0 : this.#sinceOverdue + 1;
      this.#send(offer, nowMs);
    }
    this.#arm();
  }

  /** Whether there is a place at the judge. */
  readonly #mayServe = (version: DetectorVersion): boolean =>
    this.#running[placeOf(version)] < this.#options.maxInFlight;

  /** The item that has waited longest, where that is too long. */
  #overdue(nowMs: number): Entry<T, R> | undefined {
    const oldest = this.#waiting.oldest(this.#mayServe);
    return oldest !== undefined && nowMs - oldest.arrivedMs >= this.#options.overdueMs ? oldest : undefined;
  }

  /** What goes next; undefined: nothing yet. */
  #best(nowMs: number): Offer<Entry<T, R>> | undefined {
    const { maxDelayMs } = this.#options;
    const offers = this.#waiting.offers(nowMs, this.#mayServe);
    const ready = offers.find(({ full, exact, waitedMs, leader }) => {
      const isWellFormed = exact || this.#running[placeOf(leader.version)] === 0 || waitedMs >= REST_DELAY_MS;
      return full || (isWellFormed && waitedMs >= maxDelayMs);
    });
    if (ready === undefined) return undefined;
    // A rest that waits only because the judge is busy keeps its place: no lower lane goes before it.
    const higher = offers.find(({ leader, waitedMs }) => rank(leader) < rank(ready.leader) && waitedMs >= maxDelayMs);
    return higher ?? ready;
  }

  /**
   * The timer runs for the oldest item of each version that has not waited long enough; the others wait for the judge.
   */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const offers = this.#waiting.offers(this.#options.clock.monotonicMs(), this.#mayServe);
    const waits = offers.flatMap(({ waitedMs }) => {
      const nextMs = [this.#options.maxDelayMs, REST_DELAY_MS].find((delayMs) => delayMs > waitedMs);
      return nextMs === undefined ? [] : [nextMs - waitedMs];
    });
    if (waits.length === 0) return;
    this.#timer = this.#options.clock.setTimer(Math.min(...waits), () => {
      this.#timer = undefined;
      this.#dispatch();
    });
  }

  #send({ items: entries, leader }: Offer<Entry<T, R>>, nowMs: number): void {
    const { metrics, preferredSizes } = this.#options;
    for (const entry of entries) this.#waiting.remove(entry);
    for (const { lane, arrivedMs } of entries) metrics.queued(lane, nowMs - arrivedMs);
    metrics.batchFormed(leader.version, entries.length, preferredSizes.includes(entries.length));
    const abandoned = new AbortController();
    let waiting = entries.length;
    for (const entry of entries) {
      this.#abandonedBy.set(entry, () => {
        waiting -= 1;
        if (waiting === 0) abandoned.abort(new DOMException('nobody waits for this batch', 'AbortError'));
      });
    }
    const place = placeOf(leader.version);
    this.#running[place] += 1;
    void this.#judged(entries, abandoned.signal).finally(() => {
      this.#running[place] -= 1;
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

/** Whose places at the judge a version takes. */
function placeOf({ fallback }: DetectorVersion): 'production' | 'trial' {
  return fallback === undefined ? 'production' : 'trial';
}
