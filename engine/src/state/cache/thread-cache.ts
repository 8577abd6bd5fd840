import type { BinaryKey } from '../../base/bytes.ts';
import type { CacheOrigin, RecordCacheContext } from './cache-origin.ts';
import type { RecordCache } from './record-cache.ts';

/**
 * The memory that the record caches of a stream thread share (`statestoreCacheMaxBytes`). A put that makes them larger evicts
 * from the cache that was put into, least recently used first, as in Kafka Streams.
 *
 * Owns: the sum of the caches' sizes.
 * Called by: the caching stores of all tasks of the thread.
 * Invariants: I1 between two records the sum is that of the caches; while an eviction is under way, what it frees is not yet
 * subtracted, so stores further down evict, too (Kafka Streams reckons so); I2 a read that forwards leaves the records that nodes are
 * in the middle of as they were.
 */
export class ThreadCache {
  /** Size above which entries are evicted. */
  readonly maxBytes: number;
  #sizeBytes = 0;

  /** `maxBytes`: the thread's share of `statestoreCacheMaxBytes`. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Size of all entries of all caches of the thread. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Puts a change into a cache and evicts from it while all together are too large. */
  put(
    cache: RecordCache,
    key: BinaryKey,
    suffix: BinaryKey,
    value: Buffer | null,
    timestampMs: number,
    origin: CacheOrigin,
  ): void {
    this.#add(cache, key, suffix, value, timestampMs, origin);
    this.#evict(cache);
  }

  /** Keeps what was read from the store beneath; what has to leave for it is forwarded in the middle of the read. */
  keepRead(
    cache: RecordCache,
    key: BinaryKey,
    suffix: BinaryKey,
    value: Buffer,
    timestampMs: number,
    context: RecordCacheContext,
  ): void {
    this.#add(cache, key, suffix, value, timestampMs, undefined);
    if (this.#sizeBytes <= this.maxBytes) return;
    const restore = cache.forwards && cache.isDirty ? context.saveRecords() : undefined;
    this.#evict(cache);
    restore?.();
  }

  /** Hands everything dirty of a cache over. */
  flush(cache: RecordCache): void {
    const before = cache.sizeBytes;
    cache.flush();
    this.#sizeBytes += cache.sizeBytes - before;
  }

  /** Forgets everything, dirty entries too. */
  clear(cache: RecordCache): void {
    this.#sizeBytes -= cache.sizeBytes;
    cache.clear();
  }

  #add(
    cache: RecordCache,
    key: BinaryKey,
    suffix: BinaryKey,
    value: Buffer | null,
    timestampMs: number,
    origin: CacheOrigin | undefined,
  ): void {
    const before = cache.sizeBytes;
    cache.put(key, suffix, value, timestampMs, origin);
    this.#sizeBytes += cache.sizeBytes - before;
  }

  #evict(cache: RecordCache): void {
    while (this.#sizeBytes > this.maxBytes && !cache.isEmpty) this.#evictOne(cache);
  }

  #evictOne(cache: RecordCache): void {
    const before = cache.sizeBytes;
    cache.evict();
    this.#sizeBytes += cache.sizeBytes - before;
  }
}
