import type { BinaryKey } from '../../base/bytes.ts';

/**
 * Which keys have entries in which stretch of time, so that old ones are found without looking at all keys.
 *
 * Owns: the buckets.
 * Called by: the memory stores that forget, at every entry that appears and whenever time moves on.
 * Invariants: I1 a key with a live entry is in the bucket of its time; I2 a key in a bucket need not have an entry there any
 * more.
 */
export class TimeBuckets {
  readonly #bucketMs: number;
  readonly #buckets = new Map<number, Set<BinaryKey>>();
  #expiredBefore = 0;

  /** `bucketMs`: the stretch of time in which keys are put together, and so the grain in which they expire. */
  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  /** Notes that the key has an entry of this time, epoch ms. */
  add(timeMs: number, key: BinaryKey): void {
    const id = Math.floor(timeMs / this.#bucketMs);
    let keys = this.#buckets.get(id);
    if (keys === undefined) {
      keys = new Set();
      this.#buckets.set(id, keys);
    }
    keys.add(key);
  }

  /** Drops the buckets that lie wholly before `timeMs` and hands over their keys, and the time before which all is over. */
  expireBefore(timeMs: number, drop: (key: BinaryKey, beforeMs: number) => void): void {
    const liveFrom = Math.floor(timeMs / this.#bucketMs);
    if (liveFrom <= this.#expiredBefore) return;
    const passed = liveFrom - this.#expiredBefore;
    const beforeMs = liveFrom * this.#bucketMs;
    if (passed < this.#buckets.size) {
      for (let id = this.#expiredBefore; id < liveFrom; id += 1) this.#expire(id, beforeMs, drop);
    } else {
      for (const id of this.#buckets.keys()) if (id < liveFrom) this.#expire(id, beforeMs, drop);
    }
    this.#expiredBefore = liveFrom;
  }

  /** Keys that may have entries in `[fromMs, toMs]`, each once. */
  keysBetween(fromMs: number, toMs: number): ReadonlySet<BinaryKey> {
    const first = Math.floor(Math.max(0, fromMs) / this.#bucketMs);
    const last = Math.floor(toMs / this.#bucketMs);
    if (first === last) return this.#buckets.get(first) ?? new Set();
    const keys = new Set<BinaryKey>();
    for (const [id, bucket] of this.#buckets) {
      if (id < first || id > last) continue;
      for (const key of bucket) keys.add(key);
    }
    return keys;
  }

  /** Forgets all keys, and what has expired so far. */
  clear(): void {
    this.#buckets.clear();
    this.#expiredBefore = 0;
  }

  #expire(id: number, beforeMs: number, drop: (key: BinaryKey, beforeMs: number) => void): void {
    const keys = this.#buckets.get(id);
    if (keys === undefined) return;
    this.#buckets.delete(id);
    for (const key of keys) drop(key, beforeMs);
  }
}
